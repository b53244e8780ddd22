// The addresses that a plan is about to take, tried on the wire first.
#pragma once
#include <string>
#include <vector>

#include "clara/ops/facts.hpp"
#include "clara/spec/site.hpp"

namespace clara {

struct AddressWish {
    std::string network;  ///< name in site.yaml; empty: its first
    std::string address;  ///< or auto
};

/// RFC 5227 probes of what the planner would choose for them, again where one of them turned out to be in
/// use; `facts.on_wire` has the answers. Wishes that cannot be met are left to the planner, which tells them.
void probe_addresses(const std::vector<AddressWish>& wishes, const Site& site, Facts& facts, unsigned skip);

}  // namespace clara
