// What clara-init has to do itself in a virtual machine, as a part of init.json (docs/guest-init.md). For
// ops/init_json.
#pragma once
#include <nlohmann/json.hpp>

#include "clara/spec/guest.hpp"

namespace clara {

/// Name, address, virtio port to procServ, shared folders, serial lines, watchdog.
nlohmann::ordered_json machine_section(const GuestSpec& spec);

}  // namespace clara
