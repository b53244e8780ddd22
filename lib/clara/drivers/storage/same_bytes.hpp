// Making one file equal to another, with its holes, by writing only what differs.
#pragma once
#include <cstddef>
#include <cstdint>
#include <functional>
#include <string>
#include <string_view>

#include "clara/base/error.hpp"

namespace clara {

/// The kernel cannot read what is to be copied (EIO): what lies below the pool has to be looked into.
class DiskUnreadable : public Error {
  public:
    explicit DiskUnreadable(const std::string& message)
        : Error(ErrorKind::failed, message, "look at the disk below the pool: dmesg, smartctl") {}
};

/// Is told bytes of `from` that `to` lacks, and where.
using Difference = std::function<void(std::uint64_t at, std::string_view bytes)>;

/// Reads both files where either has data and tells the differences, in pages of 4 KiB put together, in the
/// order of the file. A page of zeros above a hole is none, so a new file gets the holes of the old one also
/// where the file system cannot tell them (NFS before 4.2). Looks at interrupts.
void differences(int from, int to, std::uint64_t size, const Difference& tell);

/// Makes the empty file `to` a copy of `from`: one FICLONE where the file system can share blocks, else by
/// its differences.
void copy_disk(int from, int to);

/// pwrite(2) of all of it.
void write_at(int fd, std::uint64_t at, std::string_view bytes);

}  // namespace clara
