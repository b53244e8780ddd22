// Facts for planner tests, from YAML text: guests {NAME: {kind, state, condition,
// lease, ioc}}, book, leftovers, lxc, kvm, domains {NAME: XML}, no-libvirt, bridges
// (lists of names), images {NAME: DIGEST}, broken, paths {PATH: absent|stale|hung|ok}, wire {ADDRESS: MAC}.
#pragma once
#include <yaml-cpp/yaml.h>

#include <stdexcept>
#include <string>

#include "clara/ops/facts.hpp"

namespace clara {

inline GuestState state_named(const std::string& name) {
    for (auto state : {GuestState::stopped, GuestState::starting, GuestState::running, GuestState::stopping,
                       GuestState::leftover, GuestState::unknown})
        if (name == to_string(state)) return state;
    throw std::runtime_error("no state '" + name + "'");
}

inline Facts facts_from_yaml(const std::string& text) {
    const YAML::Node yaml = YAML::Load(text);
    Facts facts;
    facts.hostname = yaml["hostname"].as<std::string>("host-a");
    facts.pool_free = 1ULL << 40;
    for (const auto& entry : yaml["guests"]) {
        GuestFact guest;
        guest.name = entry.first.as<std::string>();
        guest.kind = entry.second["kind"].as<std::string>("lxc");
        guest.condition = entry.second["condition"].as<std::string>("");
        guest.state = state_named(entry.second["state"].as<std::string>("stopped"));
        guest.has_ioc = entry.second["ioc"].as<bool>(true);
        guest.lease_holder = entry.second["lease"].as<std::string>("");
        facts.guests[guest.name] = guest;
        facts.book.push_back({guest.name, "controls", {}, {}, guest.kind});
        (guest.kind == "kvm" ? facts.kvm_defined : facts.lxc_defined).insert(guest.name);
    }
    for (const auto& name : yaml["book"]) facts.book.push_back({name.as<std::string>(), "controls", {}, {}});
    for (const auto& name : yaml["leftovers"]) facts.leftovers.insert(name.as<std::string>());
    for (const auto& name : yaml["lxc"]) facts.lxc_defined.insert(name.as<std::string>());
    for (const auto& name : yaml["kvm"]) facts.kvm_defined.insert(name.as<std::string>());
    for (const auto& entry : yaml["domains"])
        facts.domain_xml[entry.first.as<std::string>()] = entry.second.as<std::string>();
    facts.libvirt_problem = yaml["no-libvirt"].as<std::string>("");
    if (!facts.libvirt_problem.empty()) facts.libvirt_hint = "start it";
    for (const auto& name : yaml["bridges"]) facts.bridges.insert(name.as<std::string>());
    for (const auto& entry : yaml["images"])
        facts.images.push_back({entry.first.as<std::string>(), entry.second.as<std::string>()});
    for (const auto& id : yaml["broken"]) facts.broken_images.insert(id.as<std::string>());
    for (const auto& entry : yaml["paths"]) {
        auto state = entry.second.as<std::string>();
        facts.paths[entry.first.as<std::string>()].state = state == "absent"  ? PathFact::State::absent
                                                           : state == "stale" ? PathFact::State::stale
                                                           : state == "hung"  ? PathFact::State::hung
                                                                              : PathFact::State::ok;
    }
    for (const auto& entry : yaml["wire"])
        facts.on_wire[*Ipv4::parse(entry.first.as<std::string>())] =
            *Mac::parse(entry.second.as<std::string>());
    return facts;
}

}  // namespace clara
