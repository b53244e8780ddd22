#include "clara/drivers/points/seen_disk.hpp"

#include <fcntl.h>

#include <algorithm>
#include <cerrno>

#include "clara/base/error.hpp"
#include "clara/base/stall.hpp"
#include "clara/drivers/disks/chain.hpp"

namespace clara::points {
namespace {

constexpr std::size_t most_recent =
    128;  // clusters: who looks through a file system comes back to its tables

PackedReader open_file(const std::string& path) {
    const StallScope scope("reading from the store");
    Fd file(::open(path.c_str(), O_RDONLY | O_NOFOLLOW | O_CLOEXEC));
    if (!file) throw system_error("cannot open " + path, errno);
    return {std::move(file), path};
}

}  // namespace

SeenDisk::SeenDisk(const std::string& file) {
    for (const auto& link : disk_chain(file, "qcow2")) chain_.push_back(open_file(link.path));
    for (const auto& reader : chain_)
        for (const auto& cluster : reader.clusters())
            places_.try_emplace(cluster.index, Place{&reader, &cluster});
}

/// nullptr: zeros.
const std::string* SeenDisk::content(std::uint64_t cluster) {
    if (const auto known = known_.find(cluster); known != known_.end()) {
        recent_.splice(recent_.begin(), recent_, known->second);
        return &recent_.front().bytes;
    }
    const auto place = places_.find(cluster);
    if (place == places_.end() || place->second.cluster->kind == PackedReader::Kind::zero) return nullptr;
    if (recent_.size() < most_recent) {
        recent_.push_front({cluster, std::string(cluster_size, '\0')});
    } else {
        recent_.splice(recent_.begin(), recent_, std::prev(recent_.end()));
        known_.erase(recent_.front().cluster);
    }
    Content& newest = recent_.front();
    newest.cluster = cluster;
    try {
        place->second.reader->content(*place->second.cluster, newest.bytes.data());
    } catch (...) {
        recent_.pop_front();
        throw;
    }
    known_[cluster] = recent_.begin();
    return &newest.bytes;
}

void SeenDisk::read(std::uint64_t offset, char* to, std::size_t length) {
    while (length > 0) {
        const std::size_t within = offset % cluster_size;
        const std::size_t part = std::min(length, cluster_size - within);
        if (const std::string* bytes = content(offset / cluster_size))
            std::copy_n(bytes->data() + within, part, to);
        else
            std::fill_n(to, part, '\0');
        offset += part;
        to += part;
        length -= part;
    }
}

}  // namespace clara::points
