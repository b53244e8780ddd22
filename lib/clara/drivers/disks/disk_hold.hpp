// A disk of somebody else's, kept from being written while it is read.
#pragma once
#include <string>

#include "clara/base/handle.hpp"

namespace clara {

/// While the descriptor is open, no QEMU opens the disk for writing and no guest of ours starts on it; other
/// readers may. A block device is claimed in the kernel, as a mount claims it, with all its partitions.
/// Error{busy} where somebody may be writing to it.
Fd hold_disk(const std::string& path);

bool is_block_device(const std::string& path);

}  // namespace clara
