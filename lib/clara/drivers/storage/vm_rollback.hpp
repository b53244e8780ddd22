// The disks of a virtual machine taken back to a snapshot, where they lie. What they are now becomes a
// snapshot first; while they are neither all of now nor all of then, the guest's folder says so
// (pool::unfinished_rollback) and nobody starts it.
#pragma once
#include "clara/plan/action.hpp"

namespace clara::vm_rollback {

/// snapshots/.KEPT.partial, once all that the snapshot needs was found. The guest may run.
void prepare(const PrepareRollback&);

/// KEPT gets its states and its name; then each disk goes back, and guest.yaml, domain.xml and NVRAM with
/// them. On a failure all goes back to KEPT. Error{busy} where the guest runs.
void switch_disk(const SwitchDisk&);
void switch_back(const SwitchDisk&);

}  // namespace clara::vm_rollback
