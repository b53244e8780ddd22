// A stream of a disk's bytes into a qcow2: zeros are left out.
#pragma once
#include <chrono>
#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "clara/base/handle.hpp"
#include "clara/drivers/disks/disk_export.hpp"

namespace clara {

/// Bytes between two times that what came is made durable.
constexpr std::uint64_t durable_step = 256ULL << 20;

class BlockWriter {
  public:
    /// The stream begins at `offset` of a disk of `size` bytes. `again`: an earlier run may have written a
    /// durable_step beyond it, so zeros count there.
    BlockWriter(const std::string& qcow2, std::uint64_t offset, std::uint64_t size, bool again);

    void set_rate(std::uint64_t bytes_per_second) { rate_ = bytes_per_second; }  ///< 0: no limit
    /// True where it is time to sync(). What goes beyond the disk's size is dropped.
    bool take(std::string_view piece);
    /// Everything up to the returned offset is on the host's disk. Whole blocks of 1 MiB, and the disk's end.
    std::uint64_t sync();
    /// The stream has ended: how far it came, bytes from the disk's beginning.
    std::uint64_t end();
    std::uint64_t position() const { return offset_ + block_.size(); }
    void close();
    /// Lets go of a file that is going to be removed.
    void drop() { disk_.reset(); }

  private:
    void flush_block();
    void put(std::uint64_t at, std::string_view data);
    void keep_rate();

    std::string path_;
    DiskExport export_;
    Fd disk_;
    std::string block_;
    std::uint64_t offset_, size_, zeros_count_until_, synced_, began_;
    std::uint64_t rate_ = 0;
    std::chrono::steady_clock::time_point started_ = std::chrono::steady_clock::now();
};

}  // namespace clara
