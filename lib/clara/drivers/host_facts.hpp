// What planners are told of this host: the read halves of all drivers put together.
#pragma once
#include <chrono>
#include <set>
#include <string>
#include <vector>

#include "clara/base/probe_path.hpp"
#include "clara/ops/facts.hpp"
#include "clara/spec/site.hpp"

namespace clara {

struct FactsRequest {
    std::string pool;                               ///< absolute folder
    std::set<std::string> paths;                    ///< host paths to look at, e.g. mount sources
    std::chrono::milliseconds path_deadline{5000};  ///< after which a path counts as hung
    std::vector<std::string> disks = {};            ///< guests whose snapshots matter
    bool remember = false;  ///< keep what took time to find out (the pool's index, whether KVM works)
    bool kvm = false;       ///< the plan makes a KVM guest: libvirt is asked although the pool has none
    bool helpers = true;    ///< the plan may define or start guests: Error where our helpers are missing
};

/// Everything but what goes over the wire (on_wire, pv_served): see drivers/network/arp.hpp and
/// drivers/epics/ca.hpp.
Facts gather_facts(const Site& site, const FactsRequest& request);

/// The paths are looked at side by side, so several hung ones take one deadline.
std::map<std::string, PathFact> probe_paths(const std::set<std::string>& paths,
                                            std::chrono::milliseconds deadline, PathLook look = look_at_path);

}  // namespace clara
