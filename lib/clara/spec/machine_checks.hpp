// Rules between keys that concern the kind of a guest.
#pragma once
#include "clara/spec/guest.hpp"
#include "clara/spec/site.hpp"
#include "clara/spec/yaml.hpp"

namespace clara {

/// Keys that the guest's kind does not have become problems. A VM's hardware is filled in and checked.
void complete_machine(GuestSpec& spec, const Site& site, const Yaml& tree, Problems& problems);

}  // namespace clara
