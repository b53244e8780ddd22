#include "clara/drivers/disks/block_writer.hpp"

#include <fcntl.h>
#include <linux/falloc.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <cstring>
#include <thread>

#include "clara/base/error.hpp"
#include "clara/base/files.hpp"
#include "clara/base/interrupt.hpp"

namespace clara {
namespace {

constexpr std::size_t block_size = 1 << 20;  // bytes, one write
constexpr std::size_t cluster = 64 << 10;    // bytes, the smallest hole of a qcow2

bool is_zero(std::string_view data) {
    return data.empty() || (data[0] == 0 && std::memcmp(data.data(), data.data() + 1, data.size() - 1) == 0);
}

}  // namespace

BlockWriter::BlockWriter(const std::string& qcow2, std::uint64_t offset, std::uint64_t size, bool again)
    : path_(qcow2),
      export_(qcow2, "qcow2"),
      disk_(::open(export_.path().c_str(), O_RDWR | O_CLOEXEC)),
      offset_(offset),
      size_(size),
      zeros_count_until_(again ? offset + durable_step + block_size : 0),
      synced_(offset),
      began_(offset) {
    if (!disk_) throw system_error("cannot open " + qcow2, errno);
    block_.reserve(block_size);
}

bool BlockWriter::take(std::string_view piece) {
    piece = piece.substr(0, size_ - offset_ - block_.size());
    while (!piece.empty()) {
        const std::size_t part = std::min(piece.size(), block_size - block_.size());
        block_.append(piece.substr(0, part));
        piece.remove_prefix(part);
        if (block_.size() == block_size) flush_block();
    }
    keep_rate();
    return offset_ - synced_ >= durable_step;
}

/// Runs of clusters that are zero throughout, or not, each in one go.
void BlockWriter::flush_block() {
    const std::string_view data = block_;
    for (std::size_t at = 0; at < data.size();) {
        const bool zero = is_zero(data.substr(at, cluster));
        std::size_t end = at + std::min(cluster, data.size() - at);
        while (end < data.size() && is_zero(data.substr(end, cluster)) == zero)
            end += std::min(cluster, data.size() - end);
        if (!zero) put(offset_ + at, data.substr(at, end - at));
        if (zero && offset_ + at < zeros_count_until_ &&
            ::fallocate(disk_.get(), FALLOC_FL_PUNCH_HOLE | FALLOC_FL_KEEP_SIZE,
                        static_cast<off_t>(offset_ + at), static_cast<off_t>(end - at)) != 0)
            put(offset_ + at, data.substr(at, end - at));
        at = end;
    }
    offset_ += data.size();
    block_.clear();
}

void BlockWriter::put(std::uint64_t at, std::string_view data) {
    while (!data.empty()) {
        const ssize_t put = ::pwrite(disk_.get(), data.data(), data.size(), static_cast<off_t>(at));
        if (put < 0 && errno == EINTR) continue;
        if (put < 0) throw system_error("cannot write " + path_, errno);
        data.remove_prefix(static_cast<std::size_t>(put));
        at += static_cast<std::uint64_t>(put);
    }
}

void BlockWriter::keep_rate() {
    if (rate_ == 0) return;
    const auto due =
        started_ +
        std::chrono::duration_cast<std::chrono::steady_clock::duration>(std::chrono::duration<double>(
            static_cast<double>(offset_ + block_.size() - began_) / static_cast<double>(rate_)));
    // In short steps, so that ^C is seen; ssh and the other side wait in the meantime.
    constexpr std::chrono::steady_clock::duration step = std::chrono::milliseconds(100);
    for (auto now = std::chrono::steady_clock::now(); now < due && !interrupted();
         now = std::chrono::steady_clock::now())
        std::this_thread::sleep_for(std::min(step, due - now));
}

std::uint64_t BlockWriter::sync() {
    fsync_or_throw(disk_.get(), path_);  // QEMU's own caches
    Fd file(::open(path_.c_str(), O_RDONLY | O_CLOEXEC));
    if (!file) throw system_error("cannot open " + path_, errno);
    fsync_or_throw(file.get(), path_);
    synced_ = offset_;
    return synced_;
}

std::uint64_t BlockWriter::end() {
    const std::uint64_t reached = offset_ + block_.size();
    if (reached == size_) flush_block();
    return reached;
}

void BlockWriter::close() {
    disk_.reset();
    export_.close();
}

}  // namespace clara
