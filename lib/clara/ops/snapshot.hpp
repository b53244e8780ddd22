// Planning of snapshots and of their removal. Pure. A guest that is stopping is busy; one whose run was
// killed is refused, as its disk is mounted and nobody writes to it.
#pragma once
#include <optional>
#include <string>
#include <vector>

#include "clara/base/clock.hpp"
#include "clara/ops/facts.hpp"
#include "clara/plan/plan.hpp"
#include "clara/spec/site.hpp"

namespace clara {

constexpr std::size_t most_snapshots = 256;  ///< a guest

struct SnapshotOptions {
    std::string as;       ///< its name; empty: at-TIME
    std::string comment;  ///< one line
    std::string who;
    bool keep = false;               ///< never pruned
    std::optional<unsigned> newest;  ///< prune all but so many of those that are not to be kept
    std::chrono::milliseconds patience{2000}, freeze_limit{1000};
    /// Memory is kept too; of a virtual machine that runs alone.
    bool memory = false;
    std::uint64_t memory_size = 0;  ///< bytes it may take
    bool uefi = false;              ///< the machine has that firmware
};

/// Error{refused}: the name is taken, the pool has no room, there are too many, or there is no memory to
/// keep.
Plan plan_snapshot(const std::string& name, const std::string& pool, const Site& site, const Facts& facts,
                   const SnapshotOptions& options, const Clock& clock);

/// What `newest` removes: the oldest of those that are sound, not to be kept and not a rollback's.
std::vector<std::string> surplus(const std::vector<SnapshotFact>& snapshots, std::size_t newest);

/// Error{usage} with the near name where one of them is unknown.
Plan plan_snapshot_delete(const std::string& name, const std::string& pool,
                          const std::vector<std::string>& snapshots, const Site& site, const Facts& facts);

/// Snapshots go, and with them what the disks of a virtual machine that runs keep of them.
void add_removal(std::vector<Action>& actions, const std::string& name, const std::string& pool,
                 const std::vector<std::string>& snapshots, bool runs, const Site& site, const Facts& facts);

/// The snapshot of that name, the newest of people's own where it is empty. Error{usage} where there is none,
/// Error{refused} where it is damaged.
const SnapshotFact& known_snapshot(const std::string& guest, const std::string& snapshot, const Facts& facts);

/// Error{refused} where the pool has no room for a copy of so many bytes.
void check_room(const DiskFact& disk, std::uint64_t bytes, const Facts& facts);

}  // namespace clara
