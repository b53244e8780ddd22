#include "clara/ops/rollback.hpp"

#include <fmt/format.h>

#include <algorithm>

#include "clara/base/error.hpp"
#include "clara/ops/lxc_config.hpp"
#include "clara/ops/snapshot.hpp"

namespace clara {
namespace {

/// Another guest may have the old address by now, so the address book decides.
void check_address(const GuestSpec& then, const Facts& facts) {
    auto entry = std::find_if(facts.book.begin(), facts.book.end(),
                              [&](const BookEntry& e) { return e.name == then.name; });
    if (entry == facts.book.end() || entry->address != then.nic.subnet.address ||
        entry->mac != then.nic.mac || entry->network != then.nic.network)
        throw Error(
            ErrorKind::refused,
            fmt::format("in the snapshot its address is {} ({}) on {}, and the address book has another",
                        then.nic.subnet.address.str(), then.nic.mac.str(), then.nic.network),
            "take a snapshot made with the present address");
}

std::string kept_name(const std::vector<std::string>& kept) {
    const std::string first = "before-rollback";
    std::string name = first;
    for (int n = 2; std::count(kept.begin(), kept.end(), name) > 0; ++n)
        name = fmt::format("{}-{}", first, n);
    return name;
}

}  // namespace

Plan plan_rollback(const std::string& name, const std::string& pool, const SnapshotFact& snapshot,
                   const GuestSpec& then, const std::optional<GuestSpec>& now, const Site& site,
                   const Facts& facts, const RollbackOptions& options, const Clock& clock) {
    const auto& guest = known_guest(name, facts);
    check_kind(guest);
    check_owner(guest);
    if (guest.state == GuestState::stopping)
        throw Error(ErrorKind::busy, "it is just stopping", "run it again when it has stopped");
    check_address(then, facts);
    check_room(disk_of(name, facts), snapshot.exclusive, facts);
    const bool ran = guest.state == GuestState::running || guest.state == GuestState::starting;
    Plan plan{"rollback", name, pool, "to " + snapshot.info.name, {}};

    auto kept = kept_by_rollbacks(name, facts);
    SnapshotInfo info{.name = kept_name(kept),
                      .time = iso8601(clock()),
                      .comment = "replaced by " + snapshot.info.name,
                      .state = to_string(guest.state),
                      .who = options.who,
                      .keep = true};
    kept.push_back(info.name);
    // All that could stand against the start is looked at before the stop.
    std::vector<Action> start;
    if (ran || options.start) start = start_actions(then, site, facts, options.lifecycle);
    plan.actions.push_back(PrepareRollback{pool, name, snapshot.info.name, info.name});
    if (guest.state != GuestState::stopped)
        plan.actions.push_back(StopGuest{site.lxc_path, name, options.lifecycle.stop_timeout});
    plan.actions.push_back(SwitchDisk{pool, name, snapshot.info.name, info});

    const bool same = now && write_guest(*now) == write_guest(then);
    const bool defined = facts.lxc_defined.count(name) > 0;
    if (!same && defined)
        plan.actions.push_back(DefineGuest{.home = site.lxc_path,
                                           .name = name,
                                           .config = lxc_config(then, site, facts),
                                           .pool = pool,
                                           .before = lxc_config(now ? *now : then, site, facts)});
    plan.actions.insert(plan.actions.end(), start.begin(), start.end());
    if (!start.empty() && options.lifecycle.prove)
        for (const auto& one : kept) plan.actions.push_back(RemoveSnapshot{pool, name, one});
    return plan;
}

}  // namespace clara
