// From a guest's name to its running inside.
#pragma once
#include <string>

#include "clara/spec/guest.hpp"
#include "clara/spec/site.hpp"

namespace clara {

/// The guest's spec; Error{usage} where the pool has no such guest.
GuestSpec require_guest(const std::string& pool, const std::string& name);

/// Its process 1 as the host sees it; Error{refused} where it does not run.
int require_running(const Site& site, const std::string& name);

}  // namespace clara
