// Does a new point look like the guest that the last good one was of? Pure.
#pragma once
#include <string>
#include <vector>

#include "clara/spec/point.hpp"

namespace clara {

/// Below this, bytes, nothing is judged by shares: a container of a few megabytes is other than yesterday
/// after one update.
constexpr std::uint64_t shape_matters = 64 << 20;
/// More than this share of what was there is other, percent: an update of a whole system stays below, as a
/// rule; a failing RAID, or somebody who encrypts the disk, does not.
constexpr unsigned mass_change = 50;
/// So much of what has changed cannot be compressed, percent, where it was less than half of that before.
constexpr unsigned dense_share = 80;
/// Less than this share of what was there is left, percent.
constexpr unsigned shrunk_share = 10;

/// Reasons to put it in quarantine; none: it may be the same guest. A full point is compared by its size
/// alone.
std::vector<std::string> judge_shape(const PointInfo& now, const PointInfo& last_good);

}  // namespace clara
