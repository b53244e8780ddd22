#include "clara/ops/lifecycle.hpp"

#include <fmt/format.h>

#include <algorithm>

#include "clara/base/error.hpp"
#include "clara/ops/host_paths.hpp"
#include "clara/ops/lxc_config.hpp"

namespace clara {
namespace {

bool stands(const GuestFact& guest) {
    return guest.state != GuestState::stopped;
}

void check_image(const GuestSpec& spec, const Facts& facts) {
    auto there = std::any_of(facts.images.begin(), facts.images.end(),
                             [&](const ImageInfo& image) { return image.id() == spec.image; });
    if (!there)
        throw Error(ErrorKind::refused, fmt::format("image {} is missing", spec.image),
                    "build or import the same image again; clara-image list shows what is there");
    if (facts.broken_images.count(spec.image))
        throw Error(ErrorKind::refused, fmt::format("image {} is damaged", spec.image),
                    fmt::format("clara-image verify {}", spec.image));
}

/// The bridge: made where it is ours, else it has to be there.
void add_bridge(std::vector<Action>& actions, const GuestSpec& spec, const Site& site, const Facts& facts) {
    if (facts.bridges.count(spec.nic.bridge)) return;
    for (const auto& network : site.networks)
        if (network.managed && network.bridge == spec.nic.bridge) {
            actions.push_back(EnsureBridge{network.bridge, network.subnet});
            return;
        }
    throw Error(ErrorKind::refused, fmt::format("bridge {} is missing", spec.nic.bridge),
                "make it, or name it as a managed network in site.yaml");
}

void add_start(std::vector<Action>& actions, const GuestSpec& spec, const Site& site, const Facts& facts,
               const LifecycleOptions& options) {
    // The pool came to another host, or somebody tidied up LXC's folder: it follows from guest.yaml.
    if (!facts.lxc_defined.count(spec.name))
        actions.push_back(DefineGuest{site.lxc_path, spec.name, lxc_config(spec, site, facts), spec.pool});
    actions.push_back(StartGuest{site.lxc_path, spec.name});
    if (options.prove) actions.push_back(ProveGuest{spec, {}, options.answer_timeout});
}

/// It has come up again: what a rollback has kept of before is no longer needed.
void drop_kept(Plan& plan, const Facts& facts, const LifecycleOptions& options) {
    if (!options.prove) return;
    for (const auto& kept : kept_by_rollbacks(plan.guest, facts))
        plan.actions.push_back(RemoveSnapshot{plan.pool, plan.guest, kept});
}

void check_can_start(const GuestSpec& spec, const Facts& facts) {
    check_image(spec, facts);
    check_paths(spec, facts);
}

}  // namespace

std::vector<Action> start_actions(const GuestSpec& spec, const Site& site, const Facts& facts,
                                  const LifecycleOptions& options) {
    std::vector<Action> actions;
    check_can_start(spec, facts);
    add_bridge(actions, spec, site, facts);
    add_start(actions, spec, site, facts, options);
    return actions;
}

Plan plan_start(const GuestSpec& spec, const Site& site, const Facts& facts,
                const LifecycleOptions& options) {
    const auto& guest = known_guest(spec.name, facts);
    Plan plan{"start", spec.name, spec.pool, spec.nic.subnet.address.str(), {}};
    check_owner(guest);
    switch (guest.state) {
        case GuestState::running:
            plan.note += ", runs already";
            return plan;
        case GuestState::starting:
            if (options.prove) plan.actions.push_back(ProveGuest{spec, {}, options.answer_timeout});
            drop_kept(plan, facts, options);
            return plan;
        case GuestState::stopping:
            throw Error(ErrorKind::busy, "it is just stopping", "run it again when it has stopped");
        case GuestState::stopped:
        case GuestState::leftover:
            break;
    }
    plan.actions = start_actions(spec, site, facts, options);
    drop_kept(plan, facts, options);
    return plan;
}

Plan plan_stop(const std::string& name, const std::string& pool, const Site& site, const Facts& facts,
               const LifecycleOptions& options) {
    const auto& guest = known_guest(name, facts);
    Plan plan{"stop", name, pool, "", {}};
    check_owner(guest);
    if (stands(guest))
        plan.actions.push_back(StopGuest{site.lxc_path, name, options.stop_timeout});
    else
        plan.note = "does not run";
    return plan;
}

Plan plan_restart(const GuestSpec& spec, const Site& site, const Facts& facts,
                  const LifecycleOptions& options) {
    const auto& guest = known_guest(spec.name, facts);
    Plan plan{"restart", spec.name, spec.pool, spec.nic.subnet.address.str(), {}};
    check_owner(guest);
    // All that could stand against the start is looked at before the stop.
    check_can_start(spec, facts);
    add_bridge(plan.actions, spec, site, facts);
    if (stands(guest) && guest.state != GuestState::leftover)
        plan.actions.push_back(StopGuest{site.lxc_path, spec.name, options.stop_timeout});
    add_start(plan.actions, spec, site, facts, options);
    drop_kept(plan, facts, options);
    return plan;
}

Plan plan_soft_restart(const GuestSpec& spec, const Site& site, const Facts& facts,
                       const LifecycleOptions& options) {
    const auto& guest = known_guest(spec.name, facts);
    Plan plan{"restart", spec.name, spec.pool, spec.nic.subnet.address.str(), {}};
    check_owner(guest);
    if (!guest.has_ioc)
        throw Error(ErrorKind::refused, "it has no IOC under procServ", "restart the guest without --soft");
    if (guest.state != GuestState::running)
        throw Error(ErrorKind::refused, "it does not run", fmt::format("clara-start {}", spec.name));
    plan.actions.push_back(RestartIoc{site.lxc_path, spec.name});
    if (options.prove) plan.actions.push_back(ProveGuest{spec, {}, options.answer_timeout});
    return plan;
}

Plan plan_destroy(const std::string& name, const std::string& pool, const Site& site, const Facts& facts,
                  const LifecycleOptions& options) {
    Plan plan{"destroy", name, pool, "", {}};
    if (!facts.guests.count(name) && facts.leftovers.count(name)) {
        plan.note = "left by an interrupted run";
        plan.actions.push_back(ClearLeftover{pool, name});
    } else {
        const auto& guest = known_guest(name, facts);
        check_owner(guest);
        bool runs = stands(guest) && guest.state != GuestState::leftover;
        if (runs && !options.force)
            throw Error(ErrorKind::refused, "it runs", fmt::format("clara-stop {}, or give --force", name));
        if (stands(guest)) plan.actions.push_back(StopGuest{site.lxc_path, name, options.stop_timeout});
        // The guest itself goes first: that is refused where its disk is in use, and nothing is lost then.
        plan.actions.push_back(RemoveGuest{pool, name});
        if (auto count = disk_of(name, facts).snapshots.size())
            plan.note = fmt::format("with {} snapshot{}", count, count == 1 ? "" : "s");
    }
    if (facts.lxc_defined.count(name)) plan.actions.push_back(UndefineGuest{site.lxc_path, name, pool});
    // Last: while the name is in the book, an interrupted destroy is known as a leftover.
    plan.actions.push_back(ReleaseAddress{pool, name});
    return plan;
}

}  // namespace clara
