// What a guest's folder consists of, for those who put it in its place or take it away.
#pragma once
#include <vector>

#include "clara/base/handle.hpp"

namespace clara {

/// The locks of all its disks, for as long as they are kept. Error{busy} where one is in use: the lock on a
/// whole file meets those that QEMU has on single bytes of it, and QEMU is kept out in turn.
std::vector<Fd> claim_disks(int guest);

/// Fsyncs all files of a guest, which has to be complete: Error{failed} where spec or disk are missing. The
/// folder itself is the caller's.
void sync_files(int guest);

}  // namespace clara
