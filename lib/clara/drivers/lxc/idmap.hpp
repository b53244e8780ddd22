// Mounts seen through another set of ids (man mount_setattr, MOUNT_ATTR_IDMAP).
#pragma once
#include <string>

#include "clara/base/handle.hpp"

namespace clara {

/// Turns the ids of a mount that is attached nowhere back: what is stored as `base` + n appears as n.
void unmap_ids(int mount, unsigned base, unsigned count);

/// A detached copy of the mount at `path`, in which user and group n appear as `base` + n.
Fd idmapped_clone(const std::string& path, unsigned base, unsigned count);

}  // namespace clara
