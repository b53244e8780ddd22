// Planning of backups: a guest and its restore points -> Plan. Pure.
#pragma once
#include <chrono>
#include <optional>
#include <string>
#include <vector>

#include "clara/base/clock.hpp"
#include "clara/ops/facts.hpp"
#include "clara/plan/plan.hpp"
#include "clara/spec/guest.hpp"
#include "clara/spec/keep.hpp"
#include "clara/spec/site.hpp"

namespace clara {

/// What a store knows of one guest, and libvirt of its last backup.
struct BackupFacts {
    std::string store;          ///< pool, absolute folder
    std::vector<Point> points;  ///< by number
    bool has_image = true;      ///< of a container: the store has what its points need beside them
    std::uint64_t room = 0;     ///< bytes free in the store
    /// Of a VM that runs: libvirt's checkpoints, the oldest first.
    std::vector<std::string> checkpoints;
};

struct BackupOptions {
    Keep keep;
    std::string who;
    bool full = false;       ///< stand on nothing, read all
    bool prune = true;       ///< remove what no rule keeps
    std::uint64_t rate = 0;  ///< bytes a second, 0: as fast as it goes
    std::chrono::milliseconds patience{2000}, freeze_limit{1000};
};

/// So many points stand on each other at most: each is a file that is open while the newest one is read.
constexpr std::size_t longest_chain = 64;

/// Error{busy}: it is just starting or stopping, or runs elsewhere; Error{refused}: there is nothing that can
/// be backed up, or the store has no room.
Plan plan_backup(const GuestSpec& spec, const Site& site, const Facts& facts, const BackupFacts& backups,
                 const BackupOptions& options, const Clock& clock);

/// The point itself first, then what it stands on. A point that is missing or cannot be read ends it.
std::vector<const Point*> chain_of(const std::string& point, const std::vector<Point>& points);

/// Of a point that is begun now: it says the time, and is another one than those of `points`.
std::string free_point_name(std::chrono::system_clock::time_point now, const std::vector<Point>& points);

/// The newest point that was proven, nullptr where there is none.
const Point* last_proven(const std::vector<Point>& points);

}  // namespace clara
