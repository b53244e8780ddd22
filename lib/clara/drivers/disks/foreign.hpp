// Disk files that others made: what is looked at before one of them is opened for copying.
#pragma once
#include <string>

#include "clara/drivers/disks/qemu_img.hpp"

namespace clara {

/// What the file is. Error{refused} where opening it could reach other files of this host (a qcow2 with an
/// external data file, a backing chain that leaves the file's folder, a vmdk in parts), where it is
/// encrypted, damaged, cut short, or larger than a disk of ours may be. `format` is what the user says it is;
/// the content of a raw file is not looked at.
DiskInfo inspect_foreign(const std::string& path, const std::string& format);

/// Bytes; what ext4 takes as one file.
constexpr std::uint64_t largest_disk = 16ULL << 40;

}  // namespace clara
