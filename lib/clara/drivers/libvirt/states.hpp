// Which domains there are, and what those that run use.
#pragma once
#include <cstdint>
#include <map>
#include <optional>
#include <string>

#include "clara/ops/facts.hpp"
#include "clara/spec/site.hpp"

namespace clara {

struct DomainFact {
    GuestState state = GuestState::stopped;
    std::string condition;           ///< "paused (I/O error)", "crashed"; else empty
    std::optional<double> uptime_s;  ///< where libvirt is that of this host
    std::optional<double> cpu_s;
    std::optional<std::uint64_t> memory;  ///< bytes that its qemu has for itself, the guest's memory included
};

/// Every domain of the site's libvirt, ours or not. Error{refused} where libvirt cannot be reached.
std::map<std::string, DomainFact> domain_states(const Site& site);

/// A domain's XML as it is defined now.
std::string domain_xml(const Site& site, const std::string& name);

}  // namespace clara
