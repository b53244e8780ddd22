// Is a new point what was read, can it be read again, and is the guest in it sound?
#pragma once
#include <string>
#include <vector>

#include "clara/plan/action.hpp"

namespace clara::points {

/// Reads .POINT.partial again from the store and looks through it. Returns no reason: it is sound, and says
/// so in its state.json. Else it has become POINT, in quarantine for these reasons.
std::vector<std::string> prove_point(const ProvePoint& a);

/// A point that was published, as a later look finds it: its files against their digests, and what is inside.
/// With `deep` also every block decompressed, and its file systems looked through.
std::vector<std::string> look_at_point(const std::string& store, const Point& point, bool deep);

/// What is known to be wrong with a point, or with one it stands on, without reading their disks: their
/// manifests, what earlier looks have found, files that are gone or have another size. `points` are all of
/// the guest.
std::vector<std::string> known_damage(const std::string& store, const std::string& point,
                                      const std::vector<Point>& points);

}  // namespace clara::points
