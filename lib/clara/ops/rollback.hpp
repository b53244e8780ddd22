// Planning of the way back to a snapshot. Pure. What each state leads to:
//
//   stopped  copy, switch; what it replaces is kept until it starts. With `start`: start, prove, remove that
//   leftover copy, stop (clears a killed run's mounts), then as stopped
//   starting as running
//   running  copy, stop, switch, start, prove, remove what it replaces
//   stopping busy
//
// A virtual machine's disks are taken back where they lie, so nothing is copied; one whose snapshot has its
// memory is not booted but goes on where it was.
#pragma once
#include <optional>
#include <string>

#include "clara/base/clock.hpp"
#include "clara/ops/lifecycle.hpp"

namespace clara {

struct RollbackOptions {
    bool start = false;  ///< afterwards, also what did not run
    std::string who;
    /// kvm: the domain's XML in the snapshot, and as libvirt has it now; empty: there is none.
    std::string domain_then = {}, domain_now = {};
    LifecycleOptions lifecycle = {};
};

/// `now` is guest.yaml, nullopt where it is damaged; `then` that of the snapshot, which comes back with it.
/// Error{refused}: its image is gone, or its address is not the one the address book has for the guest.
Plan plan_rollback(const std::string& name, const std::string& pool, const SnapshotFact& snapshot,
                   const GuestSpec& then, const std::optional<GuestSpec>& now, const Site& site,
                   const Facts& facts, const RollbackOptions& options, const Clock& clock);

}  // namespace clara
