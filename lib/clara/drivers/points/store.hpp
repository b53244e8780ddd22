// Restore points in a store:
//   STORE/backups/NAME/POINT/{manifest.json,state.json,guest.yaml,...}
//   .POINT.partial is being made, .POINT.removed removed, .POINT.merged will take the place of POINT; whoever
//   has the guest's lock clears those of others.
#pragma once
#include <chrono>
#include <map>
#include <string>
#include <vector>

#include "clara/base/handle.hpp"
#include "clara/base/lock.hpp"
#include "clara/spec/point.hpp"

namespace clara::points {

/// By number; one whose manifest cannot be believed has a problem. Without `ranges` their digests are left
/// out, which are most of a manifest. A store without the guest has none.
std::vector<Point> read_points(const std::string& store, const std::string& guest, bool ranges = false);
/// Of all guests that have any.
std::map<std::string, std::vector<Point>> read_points(const std::string& store);
/// Error{usage} where there is none of that name, Error{failed} where its manifest is damaged.
Point read_point(const std::string& store, const std::string& guest, const std::string& point);

/// As NamedLock::take(): the store may hang, but to wait for others is no hang.
NamedLock lock_in_store(const std::string& path, const std::string& what, std::chrono::milliseconds wait);

/// STORE/backups/NAME/.lock: held by who makes, merges or removes points, on every host that shares the
/// store. Error{busy} names the holder.
NamedLock lock_points(const std::string& store, const std::string& guest, const std::string& what,
                      std::chrono::milliseconds wait);

/// The folder of a guest's points, made where it is missing, without what killed runs have left in it. The
/// caller has lock_points().
Fd open_clean_points(const std::string& store, const std::string& guest);

/// The whole content of a small file with its digests, as manifests list it.
PointFile listed(const std::string& name, std::string_view content);

/// What was changed in it is whole, or not there: after a power cut, too. The caller has lock_points().
void put_state(const std::string& store, const std::string& guest, const std::string& point,
               const PointState& state);

}  // namespace clara::points
