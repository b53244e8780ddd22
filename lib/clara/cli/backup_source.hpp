// What clara-backup restore and drill bring up: a restore point, looked at.
#pragma once
#include <string>

#include "clara/ops/clone.hpp"
#include "clara/ops/restore.hpp"

namespace clara {

/// The newest one that was proven; Error{refused} with the way out where there is none.
std::string newest_proven(const std::string& guest, const std::string& store);

/// The point `name`, read with all it stands on and compared with the digests before anything is built on it.
/// Error{failed}: it is damaged.
RestoreSource read_source(const std::string& guest, const std::string& name, const std::string& store);

/// Of a virtual machine, what is inside its first disk.
CloneSource read_clone(const RestoreSource& source);

}  // namespace clara
