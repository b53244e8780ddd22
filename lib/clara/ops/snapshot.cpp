#include "clara/ops/snapshot.hpp"

#include <fmt/format.h>

#include <algorithm>

#include "clara/base/error.hpp"
#include "clara/base/units.hpp"
#include "clara/ops/lifecycle.hpp"
#include "clara/spec/checks.hpp"
#include "clara/spec/names.hpp"

namespace clara {
namespace {

// Beside the disk's copy: two small files, what e2fsck may write, and something for the others.
constexpr std::uint64_t spare_room = 4 << 20;

bool taken_name(const DiskFact& disk, const std::string& name) {
    return std::any_of(disk.snapshots.begin(), disk.snapshots.end(),
                       [&](const SnapshotFact& s) { return s.info.name == name; });
}

/// The name itself, or with the first free number behind.
std::string free_name(const DiskFact& disk, const std::string& wanted) {
    std::string name = wanted;
    for (int n = 2; taken_name(disk, name); ++n) name = fmt::format("{}-{}", wanted, n);
    return name;
}

bool runs(const GuestFact& guest) {
    return guest.state == GuestState::running || guest.state == GuestState::starting;
}

void check_memory(const GuestFact& guest, const SnapshotOptions& options, const Facts& facts) {
    const std::string without = "take it without --memory";
    if (guest.kind != "kvm")
        throw Error(ErrorKind::refused, "it is a container: only virtual machines have memory to keep",
                    without);
    if (!runs(guest)) throw Error(ErrorKind::refused, "it does not run: there is no memory to keep", without);
    if (options.uefi)
        throw Error(ErrorKind::refused, "its firmware is UEFI: libvirt keeps no memory of such machines",
                    without + "; what has reached its disks is kept all the same");
    check_room({}, options.memory_size, facts);
}

/// What is done between the folder and its name: by the driver of disks where it is stopped, by its
/// hypervisor where it runs.
void add_state(Plan& plan, MakeSnapshot make, const GuestFact& guest, const SnapshotOptions& options,
               const Site& site, const Facts& facts) {
    make.running = runs(guest);
    plan.actions.push_back(make);
    if (is_defined(guest.name, make.kind, facts))
        plan.actions.push_back(KeepState{home_of(make.kind, site), make.pool, make.name, make.info.name,
                                         make.running, options.memory, make.kind});
}

}  // namespace

void check_room(const DiskFact& disk, std::uint64_t bytes, const Facts& facts) {
    if (disk.shares || facts.pool_free >= bytes + spare_room) return;
    throw Error(ErrorKind::refused,
                fmt::format("the pool has {} free, and a copy of the disk may take {}",
                            size_text(facts.pool_free), size_text(bytes + spare_room)),
                "make room in the pool: clara-snapshot list shows what old snapshots take");
}

const SnapshotFact& known_snapshot(const std::string& guest, const std::string& snapshot,
                                   const Facts& facts) {
    const auto& all = disk_of(guest, facts).snapshots;
    const SnapshotFact* found = nullptr;
    std::vector<std::string> names;
    for (const auto& one : all) {
        names.push_back(one.info.name);
        const bool latest = snapshot.empty() && one.problem.empty() && !is_rollback_name(one.info.name);
        if (latest || one.info.name == snapshot) found = &one;
    }
    if (!found && snapshot.empty())
        throw Error(ErrorKind::usage, "it has no snapshot", "clara-snapshot create " + guest);
    if (!found) {
        auto near = nearest(snapshot, names);
        throw Error(ErrorKind::usage, "it has no snapshot " + snapshot,
                    near.empty() ? "clara-snapshot list " + guest : fmt::format("did you mean '{}'?", near));
    }
    if (!found->problem.empty())
        throw Error(ErrorKind::refused,
                    fmt::format("snapshot {} cannot be used: {}", found->info.name, found->problem),
                    "take another one: clara-snapshot list " + guest);
    return *found;
}

std::vector<std::string> surplus(const std::vector<SnapshotFact>& snapshots, std::size_t newest) {
    std::vector<std::string> names;
    for (const auto& one : snapshots)
        if (one.problem.empty() && !one.info.keep && !is_rollback_name(one.info.name))
            names.push_back(one.info.name);
    names.resize(names.size() - std::min(newest, names.size()));
    return names;
}

Plan plan_snapshot(const std::string& name, const std::string& pool, const Site& site, const Facts& facts,
                   const SnapshotOptions& options, const Clock& clock) {
    const auto& guest = known_guest(name, facts);
    const auto& disk = disk_of(name, facts);
    check_owner(guest);
    const std::string kind = kind_of(name, facts);
    check_libvirt(kind, facts);
    if (auto problem = remark_problem(options.comment); !problem.empty())
        throw Error(ErrorKind::usage, "a comment is " + problem);
    if (guest.state == GuestState::stopping)
        throw Error(ErrorKind::busy, "it is just stopping", "run it again when it has stopped");
    if (guest.state == GuestState::leftover)
        throw Error(ErrorKind::refused, "its last run was killed and left its disk mounted",
                    "clara-stop " + name);

    if (options.memory) check_memory(guest, options, facts);

    MakeSnapshot make{.pool = pool, .name = name, .kind = kind};
    make.info.time = iso8601(clock());
    if (options.as.empty()) {
        make.info.name = free_name(disk, snapshot_name(make.info.time));
    } else if (auto problem = snapshot_name_problem(options.as); !problem.empty()) {
        throw Error(ErrorKind::usage, problem);
    } else if (taken_name(disk, options.as)) {
        throw Error(ErrorKind::refused, "it has a snapshot " + options.as + " already",
                    "choose another name, or delete that one");
    } else {
        make.info.name = options.as;
    }
    make.info.comment = options.comment;
    make.info.who = options.who;
    make.info.keep = options.keep;
    make.info.state = to_string(guest.state);
    Plan plan{"snapshot", name, pool, make.info.name, {}};
    if (kind == "kvm") {
        add_state(plan, make, guest, options, site, facts);
    } else {
        if (guest.state != GuestState::stopped) make.mount = site.run_dir + "/guests/" + name + "/disk";
        make.patience = options.patience;
        make.freeze_limit = options.freeze_limit;
        check_room(disk, disk.taken, facts);
        plan.actions.push_back(make);
    }
    plan.actions.push_back(PublishSnapshot{pool, name, make.info.name, kind});
    std::vector<SnapshotFact> after = disk.snapshots;
    after.push_back({make.info});
    const auto old = options.newest ? surplus(after, *options.newest) : std::vector<std::string>();
    if (after.size() - old.size() > most_snapshots)
        throw Error(ErrorKind::refused, fmt::format("it has {} snapshots", disk.snapshots.size()),
                    "give --keep N, or delete some: clara-snapshot list " + name);
    add_removal(plan.actions, name, pool, old, runs(guest), site, facts);
    return plan;
}

Plan plan_snapshot_delete(const std::string& name, const std::string& pool,
                          const std::vector<std::string>& snapshots, const Site& site, const Facts& facts) {
    const auto& guest = known_guest(name, facts);
    if (kind_of(name, facts) == "kvm") check_owner(guest);  // its disk is changed for it
    check_libvirt(kind_of(name, facts), facts);
    const auto& disk = disk_of(name, facts);
    Plan plan{"snapshot delete", name, pool, fmt::format("{}", fmt::join(snapshots, ", ")), {}};
    for (const auto& snapshot : snapshots)
        if (!taken_name(disk, snapshot)) known_snapshot(name, snapshot, facts);  // throws with the near name
    add_removal(plan.actions, name, pool, snapshots, runs(guest), site, facts);
    return plan;
}

void add_removal(std::vector<Action>& actions, const std::string& name, const std::string& pool,
                 const std::vector<std::string>& snapshots, bool runs, const Site& site, const Facts& facts) {
    const std::string kind = kind_of(name, facts);
    for (const auto& one : snapshots) actions.push_back(RemoveSnapshot{pool, name, one, kind});
    if (kind == "kvm" && runs && !snapshots.empty())
        actions.push_back(DropStates{home_of(kind, site), pool, name, kind});
}

}  // namespace clara
