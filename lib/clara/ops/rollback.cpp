#include "clara/ops/rollback.hpp"

#include <fmt/format.h>

#include <algorithm>

#include "clara/base/error.hpp"
#include "clara/ops/create_vm.hpp"
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

/// What makes the guest what it was, where that is another than now.
void add_definition(std::vector<Action>& actions, const GuestSpec& then, const std::optional<GuestSpec>& now,
                    const Site& site, const Facts& facts, const RollbackOptions& options) {
    if (!is_defined(then.name, then.kind, facts)) return;
    if (then.kind == "kvm") {
        if (!options.domain_then.empty() && options.domain_then != options.domain_now)
            actions.push_back(DefineGuest{site.libvirt_uri, then.name, options.domain_then, then.pool,
                                          then.kind, libvirt_starts(then), options.domain_now});
        return;
    }
    if (now && write_guest(*now) == write_guest(then)) return;
    actions.push_back(DefineGuest{.home = site.lxc_path,
                                  .name = then.name,
                                  .config = lxc_config(then, site, facts),
                                  .pool = then.pool,
                                  .before = lxc_config(now ? *now : then, site, facts)});
}

/// The start of a guest as the snapshot has it.
std::vector<Action> start_of(const GuestSpec& then, const SnapshotFact& snapshot, const Site& site,
                             Facts facts, const RollbackOptions& options) {
    if (!options.domain_then.empty()) facts.domain_xml[then.name] = options.domain_then;
    auto actions = start_actions(then, site, facts, options.lifecycle);
    if (snapshot.info.memory > 0)
        for (auto& action : actions)
            if (const auto* start = std::get_if<StartGuest>(&action))
                action = WakeGuest{start->home, then.pool, then.name, snapshot.info.name, start->kind};
    return actions;
}

}  // namespace

Plan plan_rollback(const std::string& name, const std::string& pool, const SnapshotFact& snapshot,
                   const GuestSpec& then, const std::optional<GuestSpec>& now, const Site& site,
                   const Facts& facts, const RollbackOptions& options, const Clock& clock) {
    const auto& guest = known_guest(name, facts);
    check_owner(guest);
    const std::string kind = kind_of(name, facts);
    const bool vm = kind == "kvm";
    check_libvirt(kind, facts);
    if (guest.state == GuestState::stopping)
        throw Error(ErrorKind::busy, "it is just stopping", "run it again when it has stopped");
    check_address(then, facts);
    if (!vm) check_room(disk_of(name, facts), snapshot.exclusive.value_or(0), facts);
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
    if (ran || options.start) start = start_of(then, snapshot, site, facts, options);
    const std::string home = home_of(kind, site);
    const bool known = vm && is_defined(name, kind, facts);
    plan.actions.push_back(PrepareRollback{pool, name, snapshot.info.name, info.name, kind});
    if (known) plan.actions.push_back(KeepState{home, pool, name, info.name, false, false, kind});
    if (guest.state != GuestState::stopped)
        plan.actions.push_back(StopGuest{home, name, options.lifecycle.stop_timeout, kind});
    if (known) plan.actions.push_back(ForgetBackups{home, name, kind});
    plan.actions.push_back(SwitchDisk{pool, name, snapshot.info.name, info, kind});
    add_definition(plan.actions, then, now, site, facts, options);
    plan.actions.insert(plan.actions.end(), start.begin(), start.end());
    if (!start.empty() && options.lifecycle.prove)
        add_removal(plan.actions, name, pool, kept, true, site, facts);
    return plan;
}

}  // namespace clara
