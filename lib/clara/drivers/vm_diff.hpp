// What a virtual machine has changed on its first disk since a snapshot, or from one to another.
#pragma once
#include "clara/drivers/snapshot_diff.hpp"

namespace clara {

/// The ext file systems of the system on it, each where that mounts it. The guest's disk is only read: of a
/// snapshot, and of the "now" of a guest that runs, what the disk has beyond its image is copied for the time
/// it takes. Error{refused}: no Linux system that can be read. The guest's lock is held meanwhile.
std::vector<TreeChange> diff_vm_snapshots(const Site& site, const DiffRequest& request);

}  // namespace clara
