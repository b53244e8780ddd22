#include "clara/drivers/disks/block_writer.hpp"

#include <fcntl.h>
#include <linux/falloc.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <cstring>
#include <utility>

#include "clara/base/error.hpp"
#include "clara/base/files.hpp"
#include "clara/base/interrupt.hpp"

namespace clara {
namespace {

constexpr std::size_t block_size = 1 << 20;  // bytes, one write
constexpr std::size_t cluster = 64 << 10;    // bytes, the smallest hole of a qcow2
constexpr std::size_t most_blocks = 64;      // in memory, while the disk is busy with an fsync

bool is_zero(std::string_view data) {
    return data.empty() || (data[0] == 0 && std::memcmp(data.data(), data.data() + 1, data.size() - 1) == 0);
}

}  // namespace

BlockWriter::BlockWriter(const std::string& qcow2, std::uint64_t offset, std::uint64_t size, bool again,
                         Durable durable)
    : path_(qcow2),
      export_(qcow2, "qcow2"),
      disk_(::open(export_.path().c_str(), O_RDWR | O_CLOEXEC)),
      durable_(std::move(durable)),
      size_(size),
      zeros_count_until_(again ? offset + durable_step + block_size : 0),
      began_(offset),
      position_(offset),
      written_(offset),
      synced_(offset) {
    if (!disk_) throw system_error("cannot open " + qcow2, errno);
    block_.reserve(block_size);
    writer_ = std::thread([this] { run(); });
}

BlockWriter::~BlockWriter() {
    stop(true);
}

void BlockWriter::take(std::string_view piece) {
    piece = piece.substr(0, size_ - position_);
    while (!piece.empty()) {
        const std::size_t part = std::min(piece.size(), block_size - block_.size());
        block_.append(piece.substr(0, part));
        position_ += part;
        piece.remove_prefix(part);
        if (block_.size() == block_size) hand_over();
    }
    keep_rate();
}

void BlockWriter::hand_over() {
    std::unique_lock lock(mutex_);
    changed_.wait(lock, [this] { return blocks_.size() < most_blocks || failure_; });
    if (failure_) std::rethrow_exception(failure_);
    blocks_.push_back(std::exchange(block_, {}));
    block_.reserve(block_size);
    changed_.notify_all();
}

void BlockWriter::keep_rate() const {
    if (rate_ == 0) return;
    using clock = std::chrono::steady_clock;
    const std::chrono::duration<double> needed(static_cast<double>(position_ - began_) /
                                               static_cast<double>(rate_));
    const auto due = started_ + std::chrono::duration_cast<clock::duration>(needed);
    // In short steps, so that ^C is seen; ssh and the other side wait in the meantime.
    constexpr clock::duration step = std::chrono::milliseconds(100);
    for (auto now = clock::now(); now < due && !interrupted(); now = clock::now())
        std::this_thread::sleep_for(std::min(step, due - now));
}

void BlockWriter::run() {
    try {
        for (;;) {
            std::unique_lock lock(mutex_);
            changed_.wait(lock, [this] { return !blocks_.empty() || ended_; });
            if (abandoned_) return;
            if (blocks_.empty()) break;
            const std::string block = std::move(blocks_.front());
            blocks_.pop_front();
            changed_.notify_all();
            lock.unlock();
            write_block(block);
            if (written_ - synced_ >= durable_step) make_durable();
        }
        make_durable();
    } catch (...) {
        std::lock_guard lock(mutex_);
        failure_ = std::current_exception();
        changed_.notify_all();
    }
}

/// Runs of clusters that are zero throughout, or not, each in one go.
void BlockWriter::write_block(std::string_view data) {
    for (std::size_t at = 0; at < data.size();) {
        const bool zero = is_zero(data.substr(at, cluster));
        std::size_t end = at + std::min(cluster, data.size() - at);
        while (end < data.size() && is_zero(data.substr(end, cluster)) == zero)
            end += std::min(cluster, data.size() - end);
        const std::string_view part = data.substr(at, end - at);
        const bool hole =
            zero && (written_ + at >= zeros_count_until_ ||
                     ::fallocate(disk_.get(), FALLOC_FL_PUNCH_HOLE | FALLOC_FL_KEEP_SIZE,
                                 static_cast<off_t>(written_ + at), static_cast<off_t>(part.size())) == 0);
        if (!hole) put(written_ + at, part);
        at = end;
    }
    written_ += data.size();
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

void BlockWriter::make_durable() {
    fsync_or_throw(disk_.get(), path_);  // QEMU's own caches
    Fd file(::open(path_.c_str(), O_RDONLY | O_CLOEXEC));
    if (!file) throw system_error("cannot open " + path_, errno);
    fsync_or_throw(file.get(), path_);
    synced_ = written_;
    durable_(synced_);
}

void BlockWriter::stop(bool abandon) {
    if (!writer_.joinable()) return;
    {
        std::lock_guard lock(mutex_);
        ended_ = true;
        abandoned_ = abandon;
        changed_.notify_all();
    }
    writer_.join();
}

void BlockWriter::end() {
    if (position_ == size_ && !block_.empty()) hand_over();
    stop(false);
    if (failure_) std::rethrow_exception(failure_);
}

void BlockWriter::close() {
    disk_.reset();
    export_.close();
}

void BlockWriter::drop() {
    stop(true);
    disk_.reset();
}

}  // namespace clara
