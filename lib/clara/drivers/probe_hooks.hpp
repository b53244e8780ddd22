// What a GuestProbe may ask of guests on this host.
#pragma once
#include "clara/drivers/epics/prove.hpp"
#include "clara/spec/site.hpp"

namespace clara {

ProbeHooks probe_hooks(const Site& site);

}  // namespace clara
