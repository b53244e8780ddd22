// The identity of a copy, put into its disk.
#pragma once
#include <string>

#include "clara/drivers/disks/guest_disk.hpp"
#include "clara/ops/identity/identity.hpp"

namespace clara {

/// Does the changes of the plan; new ssh host keys are made on this host, in memory. What is there already
/// keeps owner and mode. The caller closes the disk, and warns of what the plan leaves alone. A change that
/// lies in a closed part of the disk is left out; returns their paths.
std::vector<std::string> apply_identity(GuestDisk& disk, const IdentityPlan& plan,
                                        const std::string& hostname);

}  // namespace clara
