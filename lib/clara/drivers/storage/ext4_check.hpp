// Is the ext4 in a file sound?
#pragma once
#include <string>

namespace clara {

/// Brings the copy of a disk to rest and looks through it: replays its journal, frees files that were removed
/// while still open, as the next mount would; then a full check. Error{failed} with e2fsck's last words where
/// more than that is to be mended. For a copy only: a disk in use would be destroyed.
void settle_ext4(const std::string& path, const std::string& hint);

}  // namespace clara
