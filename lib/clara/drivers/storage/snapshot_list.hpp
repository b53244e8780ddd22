// The read half of snapshots.
#pragma once
#include "clara/ops/facts.hpp"
#include "clara/spec/guest.hpp"

namespace clara {

/// What a guest keeps; empty where there is no such guest. What cannot be read has a problem.
DiskFact read_disk_fact(const std::string& pool, const std::string& guest);

/// guest.yaml as it is in a snapshot. Error where there is none or it cannot be read.
GuestSpec load_snapshot_spec(const std::string& pool, const std::string& guest, const std::string& snapshot);

/// The domain's XML in a snapshot of a virtual machine; empty where libvirt did not know the domain then.
std::string load_snapshot_domain(const std::string& pool, const std::string& guest,
                                 const std::string& snapshot);

}  // namespace clara
