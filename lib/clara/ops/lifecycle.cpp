#include "clara/ops/lifecycle.hpp"

#include <fmt/format.h>

#include <algorithm>

#include "clara/base/error.hpp"
#include "clara/ops/create_vm.hpp"
#include "clara/ops/host_paths.hpp"
#include "clara/ops/lxc_config.hpp"
#include "clara/ops/snapshot.hpp"

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
            actions.push_back(EnsureBridge{network.bridge, network.subnet, network.isolated});
            return;
        }
    throw Error(ErrorKind::refused, fmt::format("bridge {} is missing", spec.nic.bridge),
                "make it, or name it as a managed network in site.yaml");
}

ProveGuest proof(const GuestSpec& spec, const LifecycleOptions& options) {
    return {spec, {}, spec.kind == "kvm" ? options.vm_answer_timeout : options.answer_timeout};
}

/// A domain may have been changed by hand since it was made: the pool's own copy of its XML counts.
DefineGuest definition(const GuestSpec& spec, const Site& site, const Facts& facts) {
    if (spec.kind != "kvm") return {site.lxc_path, spec.name, lxc_config(spec, site, facts), spec.pool};
    auto xml = facts.domain_xml.find(spec.name);
    if (xml == facts.domain_xml.end()) return vm_definition(spec, site, facts);
    return {site.libvirt_uri, spec.name, xml->second, spec.pool, spec.kind, libvirt_starts(spec)};
}

void add_start(std::vector<Action>& actions, const GuestSpec& spec, const Site& site, const Facts& facts,
               const LifecycleOptions& options) {
    // The pool came to another host, or somebody tidied up: the definition follows from what the pool has.
    if (!is_defined(spec.name, spec.kind, facts)) actions.push_back(definition(spec, site, facts));
    actions.push_back(StartGuest{home_of(spec.kind, site), spec.name, spec.kind});
    if (options.prove) actions.push_back(proof(spec, options));
}

/// It has come up again: what a rollback has kept of before is no longer needed.
void drop_kept(Plan& plan, const Site& site, const Facts& facts, const LifecycleOptions& options) {
    if (!options.prove) return;
    add_removal(plan.actions, plan.guest, plan.pool, kept_by_rollbacks(plan.guest, facts), true, site, facts);
}

void check_can_start(const GuestSpec& spec, const Facts& facts) {
    if (spec.kind == "lxc") check_image(spec, facts);  // a qcow2 names what it is linked to itself
    check_paths(spec, facts);
}

}  // namespace

std::string home_of(const std::string& kind, const Site& site) {
    return kind == "kvm" ? site.libvirt_uri : site.lxc_path;
}

bool is_defined(const std::string& name, const std::string& kind, const Facts& facts) {
    return (kind == "kvm" ? facts.kvm_defined : facts.lxc_defined).count(name) > 0;
}

void check_libvirt(const std::string& kind, const Facts& facts) {
    if (kind == "kvm" && !facts.libvirt_problem.empty())
        throw Error(ErrorKind::refused, facts.libvirt_problem, facts.libvirt_hint);
}

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
    check_libvirt(spec.kind, facts);
    switch (guest.state) {
        case GuestState::running:
            if (!guest.condition.empty())
                throw Error(
                    ErrorKind::refused, fmt::format("it is {}", guest.condition),
                    fmt::format("clara-restart {0}, or go on where it was: virsh resume {0}", spec.name));
            plan.note += ", runs already";
            return plan;
        case GuestState::starting:
            if (options.prove) plan.actions.push_back(proof(spec, options));
            drop_kept(plan, site, facts, options);
            return plan;
        case GuestState::stopping:
            throw Error(ErrorKind::busy, "it is just stopping", "run it again when it has stopped");
        case GuestState::unknown:
        case GuestState::stopped:
        case GuestState::leftover:
            break;
    }
    plan.actions = start_actions(spec, site, facts, options);
    drop_kept(plan, site, facts, options);
    return plan;
}

Plan plan_stop(const std::string& name, const std::string& pool, const Site& site, const Facts& facts,
               const LifecycleOptions& options) {
    const auto& guest = known_guest(name, facts);
    Plan plan{"stop", name, pool, "", {}};
    check_owner(guest);
    const std::string kind = kind_of(name, facts);
    check_libvirt(kind, facts);
    if (stands(guest))
        plan.actions.push_back(StopGuest{home_of(kind, site), name, options.stop_timeout, kind});
    else
        plan.note = "does not run";
    return plan;
}

Plan plan_restart(const GuestSpec& spec, const Site& site, const Facts& facts,
                  const LifecycleOptions& options) {
    const auto& guest = known_guest(spec.name, facts);
    Plan plan{"restart", spec.name, spec.pool, spec.nic.subnet.address.str(), {}};
    check_owner(guest);
    check_libvirt(spec.kind, facts);
    // All that could stand against the start is looked at before the stop.
    check_can_start(spec, facts);
    add_bridge(plan.actions, spec, site, facts);
    if (stands(guest) && guest.state != GuestState::leftover)
        plan.actions.push_back(
            StopGuest{home_of(spec.kind, site), spec.name, options.stop_timeout, spec.kind});
    add_start(plan.actions, spec, site, facts, options);
    drop_kept(plan, site, facts, options);
    return plan;
}

Plan plan_soft_restart(const GuestSpec& spec, const Site& site, const Facts& facts,
                       const LifecycleOptions& options) {
    const auto& guest = known_guest(spec.name, facts);
    Plan plan{"restart", spec.name, spec.pool, spec.nic.subnet.address.str(), {}};
    check_owner(guest);
    check_libvirt(spec.kind, facts);
    if (!guest.has_ioc)
        throw Error(ErrorKind::refused, "it has no IOC under procServ", "restart the guest without --soft");
    if (guest.state != GuestState::running)
        throw Error(ErrorKind::refused, "it does not run", fmt::format("clara-start {}", spec.name));
    if (!guest.condition.empty())
        throw Error(ErrorKind::refused, fmt::format("it is {}", guest.condition),
                    fmt::format("restart the guest without --soft, or virsh resume {}", spec.name));
    plan.actions.push_back(RestartIoc{home_of(spec.kind, site), spec.name, spec.kind});
    if (options.prove) plan.actions.push_back(proof(spec, options));
    return plan;
}

Plan plan_destroy(const std::string& name, const std::string& pool, const Site& site, const Facts& facts,
                  const LifecycleOptions& options) {
    Plan plan{"destroy", name, pool, "", {}};
    const std::string kind = kind_of(name, facts);
    if (!facts.guests.count(name) && facts.leftovers.count(name)) {
        check_libvirt(kind, facts);
        plan.note = "left by an interrupted run";
        plan.actions.push_back(ClearLeftover{pool, name});
    } else {
        const auto& guest = known_guest(name, facts);
        check_owner(guest);
        check_libvirt(kind, facts);
        bool runs = stands(guest) && guest.state != GuestState::leftover;
        if (runs && !options.force)
            throw Error(ErrorKind::refused, "it runs", fmt::format("clara-stop {}, or give --force", name));
        if (stands(guest))
            plan.actions.push_back(StopGuest{home_of(kind, site), name, options.stop_timeout, kind});
        // The guest itself goes first: that is refused where its disk is in use, and nothing is lost then.
        plan.actions.push_back(RemoveGuest{pool, name});
        if (auto count = disk_of(name, facts).snapshots.size())
            plan.note = fmt::format("with {} snapshot{}", count, count == 1 ? "" : "s");
    }
    if (is_defined(name, kind, facts))
        plan.actions.push_back(UndefineGuest{home_of(kind, site), name, pool, kind});
    // Last: while the name is in the book, an interrupted destroy is known as a leftover.
    plan.actions.push_back(ReleaseAddress{pool, name});
    return plan;
}

}  // namespace clara
