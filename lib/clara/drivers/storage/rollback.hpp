// A guest's disk taken back to a snapshot. At every moment disk.raw is whole: the present one or the new one.
#pragma once
#include "clara/plan/action.hpp"

namespace clara::rollback {

/// snapshots/.KEPT.partial/next.raw: the snapshot's disk, looked through and fsynced.
void prepare(const PrepareRollback&);

/// KEPT gets a second link of disk.raw, the present guest.yaml, and its name; then next.raw takes the name of
/// the guest's disk.raw.
void switch_disk(const SwitchDisk&);
/// The kept disk takes its name again.
void switch_back(const SwitchDisk&);

}  // namespace clara::rollback
