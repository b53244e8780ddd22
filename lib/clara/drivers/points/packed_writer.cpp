#include <fmt/format.h>

#include <map>

#include "clara/base/error.hpp"
#include "clara/drivers/points/packed_format.hpp"
#include "clara/drivers/points/stored_stream.hpp"

namespace clara::points {

using namespace format;

namespace {
constexpr std::size_t plain_batch = 16;  // clusters that are aligned together, so that little is padded
}

struct PackedWriter::Parts {
    StoredStream stream;
    std::uint64_t size;
    std::string backing;
    std::map<std::uint64_t, std::string> tables;  ///< L2, by index in L1
    std::vector<std::uint16_t> references;        ///< of each cluster of the file
    std::vector<std::pair<std::uint64_t, std::string>> plain;

    Parts(int file, std::uint64_t bytes, std::string on) : stream(file), size(bytes), backing(std::move(on)) {
        stream.append(std::string(cluster_size, '\0'));
        refer(0, cluster_size);
    }

    void set(std::uint64_t cluster, std::uint64_t entry) {
        if (cluster >= up(size, cluster_size))
            throw Error(ErrorKind::failed, fmt::format("cluster {} lies behind the disk's end", cluster));
        auto& table = tables[cluster / table_entries];
        if (table.empty()) table.assign(cluster_size, '\0');
        put64(table, cluster % table_entries * 8, entry);
    }

    void refer(std::uint64_t offset, std::uint64_t length) {
        const std::uint64_t last = (offset + length - 1) / cluster_size;
        if (references.size() <= last) references.resize(last + 1);
        for (std::uint64_t at = offset / cluster_size; at <= last; ++at) ++references[at];
    }

    void flush_plain() {
        if (plain.empty()) return;
        stream.pad(cluster_size);
        for (const auto& [cluster, content] : plain) {
            refer(stream.size(), cluster_size);
            set(cluster, stream.size() | copied);
            stream.append(content);
        }
        plain.clear();
    }

    std::uint64_t append_table(const std::string& table) {
        const std::uint64_t at = stream.size();
        refer(at, table.size());
        stream.append(table);
        return at;
    }

    std::pair<std::uint64_t, std::uint64_t> append_l1() {
        const std::uint64_t entries = std::max<std::uint64_t>(1, up(size, cluster_size * table_entries));
        std::string l1(up(entries * 8, cluster_size) * cluster_size, '\0');
        for (const auto& [index, table] : tables) put64(l1, index * 8, append_table(table) | copied);
        return {append_table(l1), entries};
    }

    /// Refcount blocks count themselves and their table, too.
    std::pair<std::uint64_t, std::uint64_t> append_refcounts() {
        const std::uint64_t used = stream.size() / cluster_size;
        std::uint64_t blocks = 1, table_clusters = 1;
        for (;;) {
            const std::uint64_t all = used + blocks + table_clusters;
            if (blocks * block_entries < all)
                blocks = up(all, block_entries);
            else if (table_clusters * table_entries < blocks)
                table_clusters = up(blocks, table_entries);
            else
                break;
        }
        refer(stream.size(), (blocks + table_clusters) * cluster_size);
        std::string table(table_clusters * cluster_size, '\0');
        for (std::uint64_t i = 0; i < blocks; ++i) {
            std::string block(cluster_size, '\0');
            for (std::uint64_t j = 0; j < block_entries && i * block_entries + j < references.size(); ++j)
                put16(block, j * 2, references[i * block_entries + j]);
            put64(table, i * 8, stream.size());
            stream.append(block);
        }
        const std::uint64_t at = stream.size();
        stream.append(table);
        return {at, table_clusters};
    }

    std::string header(std::pair<std::uint64_t, std::uint64_t> l1,
                       std::pair<std::uint64_t, std::uint64_t> refcounts) const {
        std::string text(cluster_size, '\0');
        put32(text, 0, magic);
        put32(text, at_version, version);
        put32(text, at_cluster_bits, cluster_bits);
        put64(text, at_size, size);
        put32(text, at_l1_entries, static_cast<std::uint32_t>(l1.second));
        put64(text, at_l1, l1.first);
        put64(text, at_refcounts, refcounts.first);
        put32(text, at_refcount_clusters, static_cast<std::uint32_t>(refcounts.second));
        put64(text, at_incompatible, needs_compression_type);
        put32(text, at_refcount_order, refcount_order);
        put32(text, at_length, header_length);
        text[at_compression] = zstd_type;
        if (backing.empty()) return text;
        put32(text, header_length, extension_backing_format);
        put32(text, header_length + 4, 5);
        text.replace(header_length + 8, 5, "qcow2");
        const std::size_t name = header_length + 16 + 8;  // behind that extension and the one that ends them
        put64(text, at_backing, name);
        put32(text, at_backing_length, static_cast<std::uint32_t>(backing.size()));
        text.replace(name, backing.size(), backing);
        return text;
    }
};

PackedWriter::PackedWriter(int file, std::uint64_t size, const std::string& backing)
    : parts_(std::make_unique<Parts>(file, size, backing)) {
    if (backing.size() > 1023) throw Error(ErrorKind::failed, "the backing file's name is too long");
}

PackedWriter::~PackedWriter() = default;

void PackedWriter::add_compressed(std::uint64_t cluster, std::string_view frame) {
    const std::uint64_t at = parts_->stream.size();
    const std::uint64_t further = (at + frame.size() - 1) / sector - at / sector;
    parts_->refer(at, frame.size());
    parts_->set(cluster, compressed | further << length_shift | at);
    parts_->stream.append(frame);
}

void PackedWriter::add_plain(std::uint64_t cluster, std::string_view content) {
    if (content.size() != cluster_size) throw Error(ErrorKind::failed, "a plain cluster is not whole");
    parts_->plain.emplace_back(cluster, content);
    if (parts_->plain.size() >= plain_batch) parts_->flush_plain();
}

void PackedWriter::add_zero(std::uint64_t cluster) {
    parts_->set(cluster, zero);
}

PointFile PackedWriter::finish() {
    parts_->flush_plain();
    parts_->stream.pad(cluster_size);
    const auto l1 = parts_->append_l1();
    const auto refcounts = parts_->append_refcounts();
    parts_->stream.put_head(parts_->header(l1, refcounts));
    return parts_->stream.finish();
}

}  // namespace clara::points
