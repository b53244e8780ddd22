#include "clara/ops/drill.hpp"

#include <fmt/format.h>

#include "clara/base/error.hpp"
#include "clara/ops/lxc_config.hpp"
#include "clara/spec/names.hpp"

namespace clara {
namespace {

constexpr std::chrono::seconds stop_limit{5};  // what it does then is of no interest to anybody

}  // namespace

std::string drill_name(const std::string& guest) {
    std::string name = "drill-" + guest;
    if (const auto problem = name_problem(name); !problem.empty())
        throw Error(ErrorKind::refused, fmt::format("the drill would be called {}: {}", name, problem),
                    "restore it under a shorter name instead: clara-backup restore --as");
    return name;
}

Network drill_network(const GuestSpec& guest) {
    Network network;
    network.name = "drill";
    // Of as many characters as an interface may have: "ve-..." made that of a bridge.
    network.bridge = host_interface(drill_name(guest.name));
    network.bridge.replace(0, 2, "br");
    network.subnet = guest.nic.subnet;
    network.gateway = guest.nic.gateway;
    network.first = {guest.nic.subnet.network().value + 1};
    network.last = {guest.nic.subnet.broadcast().value - 1};
    // The host takes the place of what the guest knows as its gateway.
    Ipv4& host = network.subnet.address;
    host = guest.nic.gateway.value_or(network.first);
    if (host == guest.nic.subnet.address) host = network.last;
    if (host == guest.nic.subnet.address) host = network.first;
    network.isolated = true;
    return network;
}

RestoreSource drill_source(const RestoreSource& source) {
    RestoreSource drill = source;
    drill.spec.devices.clear();
    drill.spec.autostart = false;
    for (auto& mount : drill.spec.mounts) {
        if (drill.spec.kind == "kvm" && !mount.read_only)
            throw Error(ErrorKind::refused,
                        fmt::format("a drill of it would write into {} of this host", mount.host),
                        "restore it under another name on an isolated network: clara-backup restore --as");
        mount.read_only = true;
    }
    return drill;
}

std::string drill_holder(const std::string& host, const std::string& pool, const std::string& guest) {
    return holder_of(host, pool, drill_name(guest));
}

Plan plan_drill(Plan up, const RestoreSource& source, const Network& network, const std::string& home) {
    const std::string& kind = source.spec.kind;
    Plan plan = std::move(up);
    plan.verb = "drill";
    plan.note = "point " + source.point.info.name + " of " + source.spec.name;
    auto& actions = plan.actions;
    std::vector<Action> hold;
    for (const auto& action : actions)
        if (const auto* made = std::get_if<HoldPoint>(&action)) {
            hold.push_back(*made);
            std::get<HoldPoint>(hold.back()).hold = false;
        }
    actions.push_back(StopGuest{home, plan.guest, stop_limit, kind});
    actions.push_back(RemoveGuest{plan.pool, plan.guest});
    actions.push_back(UndefineGuest{home, plan.guest, plan.pool, kind});
    actions.push_back(ReleaseAddress{plan.pool, plan.guest});
    actions.push_back(RemoveBridge{network.bridge});
    actions.insert(actions.end(), hold.begin(), hold.end());
    return plan;
}

}  // namespace clara
