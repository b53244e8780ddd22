// What clara-backup restore and drill bring up: a restore point, looked at.
#pragma once
#include <map>
#include <string>
#include <vector>

#include "clara/cli/selection.hpp"
#include "clara/ops/clone.hpp"
#include "clara/ops/restore.hpp"

namespace clara {

/// `named`, or where none is named the newest point that was proven. Error{refused} where there is none.
std::string wanted_point(const std::string& store, const std::string& guest, const std::string& named);

/// The guests meant by `selection` of those that the store has points of (`known`): --all is all of these,
/// whether they are still there or not; tags are known of guests of the pool. Error{usage}: one has no
/// points.
std::vector<std::string> guests_with_points(const Selection& selection,
                                            const std::map<std::string, std::vector<Point>>& known,
                                            const std::string& store, const std::string& pool);

/// The point `name`, read with all it stands on and compared with the digests before anything is built on it.
/// Error{failed}: it is damaged.
RestoreSource read_source(const std::string& guest, const std::string& name, const std::string& store);

/// Of a virtual machine, what is inside its first disk.
CloneSource read_clone(const RestoreSource& source);

}  // namespace clara
