#include <fmt/format.h>
#include <sys/stat.h>
#include <unistd.h>
#include <zstd.h>

#include <cerrno>
#include <unordered_set>

#include "clara/base/error.hpp"
#include "clara/base/stall.hpp"
#include "clara/drivers/points/packed_format.hpp"

namespace clara::points {

using namespace format;

namespace {

constexpr std::uint64_t largest_disk = std::uint64_t{1} << 46;  // bytes; 64 TiB: an L1 table of 1 MiB

std::string read_at(int file, std::uint64_t at, std::size_t length, const std::string& name) {
    std::string bytes(length, '\0');
    std::size_t have = 0;
    while (have < length) {
        const StallScope scope("reading from the store");
        const ssize_t got = ::pread(file, bytes.data() + have, length - have, static_cast<off_t>(at + have));
        if (got < 0 && errno == EINTR) continue;
        if (got < 0) throw system_error(fmt::format("{}: cannot be read at byte {}", name, at + have), errno);
        if (got == 0)
            throw Error(ErrorKind::failed, fmt::format("{}: it ends before byte {}", name, at + length));
        have += static_cast<std::size_t>(got);
    }
    return bytes;
}

/// Checks what the tables say against the file.
class Parser {
  public:
    Parser(int file, const std::string& name) : file_(file), name_(name) {
        struct stat st {};
        if (::fstat(file, &st) != 0) throw system_error("cannot examine " + name, errno);
        end_ = static_cast<std::uint64_t>(st.st_size);
    }

    void header(std::uint64_t& size, std::string& backing) {
        const std::string text = read_at(file_, 0, std::min<std::uint64_t>(end_, cluster_size), name_);
        if (text.size() < cluster_size || get32(text, 0) != magic || get32(text, at_version) != version ||
            get32(text, at_cluster_bits) != cluster_bits || get32(text, at_encryption) != 0 ||
            get32(text, at_snapshots) != 0 || get64(text, at_incompatible) != needs_compression_type ||
            get32(text, at_length) != header_length || text[at_compression] != zstd_type)
            fail("it is no disk of a restore point");
        size = get64(text, at_size);
        if (size > largest_disk) fail("its size cannot be");
        const std::uint64_t entries = get32(text, at_l1_entries);
        if (entries != std::max<std::uint64_t>(1, up(size, cluster_size * table_entries)))
            fail("its table is not as long as its size says");
        const std::uint64_t name_at = get64(text, at_backing), name_length = get32(text, at_backing_length);
        if (name_at != 0 && (name_length > 1023 || name_at > text.size() - name_length))
            fail("the name of its backing file lies outside");
        if (name_at != 0) backing = text.substr(name_at, name_length);
        l1_ = table(get64(text, at_l1), entries * 8);
        clusters_ = up(size, cluster_size);
    }

    std::vector<PackedReader::Cluster> clusters() const {
        std::vector<PackedReader::Cluster> all;
        std::unordered_set<std::uint64_t> seen;
        for (std::uint64_t i = 0; i < l1_.size() / 8; ++i) {
            const std::uint64_t at = get64(l1_, i * 8) & offset_mask;
            if (at == 0) continue;
            // So there are no more clusters than the file has room for entries.
            if (!seen.insert(at).second) fail(fmt::format("a table at byte {} is there twice", at));
            const std::string l2 = table(at, cluster_size);
            for (std::uint64_t j = 0; j < table_entries; ++j)
                if (const std::uint64_t entry = get64(l2, j * 8))
                    all.push_back(cluster(i * table_entries + j, entry));
        }
        return all;
    }

  private:
    [[noreturn]] void fail(const std::string& what) const {
        throw Error(ErrorKind::failed, name_ + ": " + what);
    }

    std::string table(std::uint64_t at, std::size_t length) const {
        if (at % cluster_size != 0 || at == 0 || at > end_ || end_ - at < length)
            fail(fmt::format("a table at byte {} lies outside", at));
        return read_at(file_, at, length, name_);
    }

    PackedReader::Cluster cluster(std::uint64_t index, std::uint64_t entry) const {
        if (index >= clusters_) fail(fmt::format("block {} lies behind the disk's end", index));
        using Kind = PackedReader::Kind;
        PackedReader::Cluster found{index, Kind::plain, entry & offset_mask, cluster_size};
        if (entry & compressed) {
            found.kind = Kind::compressed;
            found.offset = entry & ((std::uint64_t{1} << length_shift) - 1);
            const std::uint64_t further = (entry & ~compressed & ~copied) >> length_shift;
            found.length = (further + 1) * sector - found.offset % sector;
        } else if (entry & zero) {
            return {index, Kind::zero, 0, 0};
        } else if (found.offset % cluster_size != 0) {
            fail(fmt::format("block {} does not begin where a cluster does", index));
        }
        if (found.offset < cluster_size || found.offset > end_ || end_ - found.offset < found.length)
            fail(fmt::format("block {} lies outside of the file", index));
        return found;
    }

    int file_;
    const std::string& name_;
    std::uint64_t end_ = 0, clusters_ = 0;
    std::string l1_;
};

}  // namespace

PackedReader::PackedReader(Fd file, std::string name) : file_(std::move(file)), name_(std::move(name)) {
    Parser parser(file_.get(), name_);
    parser.header(size_, backing_);
    clusters_ = parser.clusters();
}

std::string PackedReader::stored(const Cluster& cluster) const {
    std::string bytes = read_at(file_.get(), cluster.offset, cluster.length, name_);
    if (cluster.kind != Kind::compressed) return bytes;
    const std::size_t length = ::ZSTD_findFrameCompressedSize(bytes.data(), bytes.size());
    if (::ZSTD_isError(length))
        throw Error(ErrorKind::failed, fmt::format("{}: block {} is damaged", name_, cluster.index));
    bytes.resize(length);
    return bytes;
}

void PackedReader::content(const Cluster& cluster, char* to) const {
    const std::string bytes = stored(cluster);
    if (cluster.kind != Kind::compressed) {
        std::memcpy(to, bytes.data(), cluster_size);
        return;
    }
    thread_local const Handle<ZSTD_DCtx, ::ZSTD_freeDCtx> context(::ZSTD_createDCtx());
    const std::size_t length =
        ::ZSTD_decompressDCtx(context.get(), to, cluster_size, bytes.data(), bytes.size());
    if (::ZSTD_isError(length) || length != cluster_size)
        throw Error(ErrorKind::failed, fmt::format("{}: block {} is damaged", name_, cluster.index));
}

}  // namespace clara::points
