#pragma once
#include <cstdint>
#include <string>

namespace clara {

/// Sets all times of all files of an ext4 file system that begins at `offset` of `disk` to the beginning of
/// 1970, as mkfs.erofs -T 0 does: mke2fs -d takes them from the host's files, change times too, which nobody
/// can set.
void forget_times(const std::string& disk, std::uint64_t offset);

}  // namespace clara
