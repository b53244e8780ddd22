// The address of a virtual machine's network card. A container's is set by its host.
#pragma once
#include "config.hpp"

namespace guest {

/// lo up; the card with that MAC gets address, broadcast and gateway, and is up. Throws std::runtime_error.
void set_up_network(const Nic& nic);

}  // namespace guest
