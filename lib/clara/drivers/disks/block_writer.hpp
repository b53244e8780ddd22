// A stream of a disk's bytes into a qcow2: zeros are left out, and what came is made durable now and then.
#pragma once
#include <chrono>
#include <condition_variable>
#include <cstdint>
#include <deque>
#include <exception>
#include <functional>
#include <mutex>
#include <string>
#include <string_view>
#include <thread>

#include "clara/base/handle.hpp"
#include "clara/drivers/disks/disk_export.hpp"

namespace clara {

/// Bytes between two times that what came is made durable.
constexpr std::uint64_t durable_step = 256ULL << 20;

/// A thread of its own writes, so that who reads from the network does not wait for the disk.
class BlockWriter {
  public:
    /// Up to the given offset everything is on the host's disk: whole blocks of 1 MiB, or all. Called by the
    /// writing thread, and for the last time before end() returns.
    using Durable = std::function<void(std::uint64_t)>;

    /// The stream begins at `offset` of a disk of `size` bytes. `again`: an earlier run may have written a
    /// durable_step beyond it, so zeros count there.
    BlockWriter(const std::string& qcow2, std::uint64_t offset, std::uint64_t size, bool again,
                Durable durable);
    ~BlockWriter();
    BlockWriter(const BlockWriter&) = delete;
    BlockWriter& operator=(const BlockWriter&) = delete;

    void set_rate(std::uint64_t bytes_per_second) { rate_ = bytes_per_second; }  ///< 0: no limit
    /// What goes beyond the disk's size is dropped. Throws what writing has met.
    void take(std::string_view piece);
    /// Offset of the stream's next byte.
    std::uint64_t position() const { return position_; }
    /// The stream has ended. A last piece that is no whole block counts only where it is the disk's end.
    void end();
    /// After end(): the file is closed in order.
    void close();
    /// In place of end() and close(), for a file that is going to be removed.
    void drop();

  private:
    void run();
    void hand_over();
    void stop(bool abandon);
    void write_block(std::string_view data);
    void put(std::uint64_t at, std::string_view data);
    void make_durable();
    void keep_rate() const;

    std::string path_;
    DiskExport export_;
    Fd disk_;
    Durable durable_;
    const std::uint64_t size_, zeros_count_until_, began_;
    const std::chrono::steady_clock::time_point started_ = std::chrono::steady_clock::now();
    std::uint64_t rate_ = 0;

    std::uint64_t position_;          ///< of the reader
    std::string block_;               ///< being filled
    std::uint64_t written_, synced_;  ///< of the writing thread

    std::mutex mutex_;  ///< guards what follows
    std::condition_variable changed_;
    std::deque<std::string> blocks_;
    bool ended_ = false, abandoned_ = false;
    std::exception_ptr failure_;
    std::thread writer_;  ///< begun last
};

}  // namespace clara
