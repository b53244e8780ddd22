// Paths of the host that a guest cannot do without. Pure: drivers/host_facts looks at them.
#pragma once
#include <string>
#include <vector>

#include "clara/ops/facts.hpp"
#include "clara/spec/guest.hpp"

namespace clara {

/// Mount sources that are not optional, devices, and an existing st.cmd on its mount.
std::vector<std::string> needed_paths(const GuestSpec& spec);

/// Error{refused} names the first that is missing, stale or does not answer; one nobody looked at is missing.
void check_paths(const GuestSpec& spec, const Facts& facts);

}  // namespace clara
