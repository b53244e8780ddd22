#include "clara/drivers/points/merge.hpp"

#include <fcntl.h>

#include <algorithm>
#include <cerrno>
#include <map>

#include "clara/base/error.hpp"
#include "clara/base/files.hpp"
#include "clara/base/stall.hpp"
#include "clara/drivers/disks/qcow2_header.hpp"
#include "clara/drivers/points/store.hpp"
#include "clara/drivers/points/verify.hpp"
#include "clara/drivers/storage/layout.hpp"

namespace clara::points {
namespace {

constexpr std::size_t sums_limit = std::size_t{4} << 30;  // bytes: digests of 6 TiB

std::uint64_t dense_bytes(const std::vector<const PackedReader*>& newest_first) {
    std::map<std::uint64_t, PackedReader::Kind> kinds;
    for (const auto* reader : newest_first)
        for (const auto& cluster : reader->clusters()) kinds.emplace(cluster.index, cluster.kind);
    return cluster_size *
           static_cast<std::uint64_t>(std::count_if(kinds.begin(), kinds.end(), [](const auto& one) {
               return one.second == PackedReader::Kind::plain;
           }));
}

bool stands_on_another(int folder, const std::string& disk) {
    const StallScope scope("reading from the store");
    const Fd file(::openat(folder, disk.c_str(), O_RDONLY | O_NOFOLLOW | O_CLOEXEC));
    if (!file) throw system_error("cannot open " + disk, errno);
    return !read_qcow2_header(file.get(), disk).backing.empty();
}

}  // namespace

PointFile merge_packed(const std::vector<const PackedReader*>& newest_first, PackedWriter& to, bool backed,
                       Pace* pace) {
    struct From {
        const PackedReader* reader;
        const PackedReader::Cluster* cluster;
    };
    std::map<std::uint64_t, From> all;
    for (const PackedReader* reader : newest_first)
        for (const auto& cluster : reader->clusters()) all.emplace(cluster.index, From{reader, &cluster});
    for (const auto& [index, from] : all) {
        if (pace) pace->wait(from.cluster->length);
        switch (from.cluster->kind) {
            case PackedReader::Kind::zero:
                if (backed) to.add_zero(index);
                break;
            case PackedReader::Kind::plain:
                to.add_plain(index, from.reader->stored(*from.cluster));
                break;
            case PackedReader::Kind::compressed:
                to.add_compressed(index, from.reader->stored(*from.cluster));
                break;
            case PackedReader::Kind::absent:
                break;
        }
    }
    return to.finish();
}

void write_merged(int to, Merging what, PointDisk& disk, std::vector<PointFile>& files) {
    const bool backed = !what.backing.empty();
    Sums& sums = what.sums;
    if (!backed) std::erase_if(sums, [](const Sum& sum) { return sum.digest == zero_digest; });
    Fd file(::openat(to, disk.file.c_str(), O_RDWR | O_CREAT | O_EXCL | O_NOFOLLOW | O_CLOEXEC, 0640));
    if (!file) throw system_error("cannot make " + disk.file, errno);
    PackedWriter writer(file.get(), what.from.front()->size(), what.backing);
    PointFile stored = merge_packed(what.from, writer, backed, what.pace);
    stored.name = disk.file;
    files.push_back(stored);
    const std::string text = write_sums(sums);
    {
        const StallScope scope("writing to the store");
        write_file_at(to, sums_file(disk.file), text, 0640, Durable::content);
    }
    files.push_back(listed(sums_file(disk.file), text));
    disk.changed = sums.size() * cluster_size;
    disk.zeroed = static_cast<std::uint64_t>(std::count_if(
                      sums.begin(), sums.end(), [](const Sum& s) { return s.digest == zero_digest; })) *
                  cluster_size;
    disk.dense = dense_bytes(what.from);
}

PackedReader open_packed(int folder, const std::string& file) {
    const StallScope scope("reading from the store");
    Fd fd(::openat(folder, file.c_str(), O_RDONLY | O_NOFOLLOW | O_CLOEXEC));
    if (!fd) throw system_error("cannot open " + file, errno);
    return {std::move(fd), file};
}

std::string sums_file(const std::string& disk) {
    return disk.substr(0, disk.rfind('.')) + ".sums";
}

Sums load_sums(int folder, const std::string& disk) {
    const StallScope scope("reading from the store");
    const auto text = read_file_at(folder, sums_file(disk), sums_limit);
    if (!text) throw Error(ErrorKind::failed, sums_file(disk) + " is missing");
    return read_sums(*text, sums_file(disk));
}

Sums whole_sums(const std::string& store, const PointInfo& point, const std::string& disk,
                const std::vector<Point>& points) {
    std::vector<Sums> chain;
    const PointInfo* at = &point;
    for (std::size_t i = 0; i <= points.size(); ++i) {
        const bool has = std::any_of(at->disks.begin(), at->disks.end(),
                                     [&](const PointDisk& d) { return d.file == disk; });
        if (!has) break;
        const Fd folder = open_dir(pool::point(store, at->guest, at->name));
        chain.push_back(load_sums(folder.get(), disk));
        if (at->parent.empty() || !stands_on_another(folder.get(), disk)) break;
        const Point* parent = find_point(at->parent, points);
        if (!parent)
            throw Error(ErrorKind::failed,
                        "point " + at->parent + ", which " + at->name + " stands on, is missing");
        at = &parent->info;
    }
    Sums whole;
    for (auto sums = chain.rbegin(); sums != chain.rend(); ++sums) whole = merged(whole, *sums);
    return whole;
}

std::vector<std::string> verify_merged(const std::string& store, int folder, const PointInfo& info,
                                       const std::vector<Point>& points) {
    auto wrong = verify_stored(folder, info);
    for (const auto& disk : info.disks) {
        if (!wrong.empty()) break;
        const PackedReader reader = open_packed(folder, disk.file);
        Sums sums = load_sums(folder, disk.file);
        wrong = verify_content(reader, sums, disk.file);
        if (reader.backed()) {
            const Point* base = find_point(info.parent, points);
            if (!base) throw Error(ErrorKind::failed, "point " + info.parent + " is missing");
            sums = merged(whole_sums(store, base->info, disk.file, points), sums);
        }
        if (content_of(sums) != disk.content) wrong.push_back(disk.file + " would not be what it was");
    }
    return wrong;
}

}  // namespace clara::points
