// The way of clara-backup run, verify and restore.
#pragma once
#include <functional>
#include <optional>
#include <string>
#include <vector>

#include "clara/cli/app.hpp"
#include "clara/cli/selection.hpp"
#include "clara/ops/backup.hpp"
#include "clara/ops/restore.hpp"

namespace clara {

/// Which store, for all verbs.
struct StoreChoice {
    std::string name;                        ///< pool of the site; empty: as site.yaml says
    std::chrono::milliseconds limit{60000};  ///< for a single call to it
    bool accept_other = false;               ///< another one than last time is taken
};
void add_store(CLI::App& app, StoreChoice& store);

/// --keep weekly=4,monthly=6
void add_keep(CLI::App& app, std::optional<Keep>& keep, const std::string& doc);

struct BackupRun {
    Selection guests;
    StoreChoice store;
    BackupOptions options;
    std::optional<Keep> keep;  ///< instead of what site and guest say
    bool no_hooks = false;
};
int back_up(const BackupRun& run, const CommonFlags& flags);

struct VerifyRun {
    Selection guests;
    StoreChoice store;
    bool oldest_first = false, deep = false;
    std::optional<std::chrono::milliseconds> max_time;
};
int verify_points(const VerifyRun& run, const CommonFlags& flags);

struct RestoreRun {
    std::string guest, point, as;
    bool in_place = false;
    StoreChoice store;
    RestoreOptions options;
};
int restore_guest(const RestoreRun& run, const CommonFlags& flags);

/// A trial: the newest proven point of each guest comes up on a network of its own, and goes again.
struct DrillRun {
    Selection guests;
    std::string point;  ///< of one guest; empty: the newest proven one
    StoreChoice store;
    std::chrono::milliseconds answer_timeout{15000}, vm_answer_timeout{120000};
};
int drill(const DrillRun& run, const CommonFlags& flags);

struct CopyRun {
    Selection guests;
    StoreChoice store;
    std::string to;            ///< pool of the site
    std::optional<Keep> keep;  ///< instead of what the pool, the guest and the site say
    bool prune = true;
    std::uint64_t rate = 0;  ///< bytes a second, 0: as fast as it goes
};
int copy_points(const CopyRun& run, const CommonFlags& flags);

/// How it is worked on.
struct StoreUse {
    bool writes = false;                    ///< it is made ready for that
    std::function<void()> before = {};      ///< done once the store has answered, without the store
    std::function<void()> after_hang = {};  ///< as Supervision's
};
/// Does the work on the store, given its path, once that is there and may be used. All calls to it are made
/// by a child that is left behind where the store hangs: see supervised().
int on_store(const StoreChoice& choice, const Site& site, const CommonFlags& flags, const StoreUse& use,
             const std::function<int(const std::string& store)>& work);

/// For work within on_store(), or that needs a second one: path of the store, that is there and may be used;
/// with `writes` made ready.
std::string ready_store(const StoreChoice& choice, const Site& site, const std::string& pool, bool writes);

}  // namespace clara
