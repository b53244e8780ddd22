// Which restore points stay. Pure.
//
// As Proxmox Backup Server (its `prune`) and borg do it: rules are applied from the finest to the coarsest,
// last, hourly, daily, weekly, monthly, yearly. Each keeps the newest point of each of its periods, the
// newest periods first, but passes over periods in which a finer rule keeps a point already. So of daily
// points weekly 4 + monthly 6 takes ten that reach 167 to 205 days back; counted as restic does it, the same
// ten reach 121 to 153. (Where each day removes what it no longer needs: 169 to 210.) Other than Proxmox', a
// point that a finer rule passes over may still be a coarser one's: with few of the finer kind whole months
// would be lost else. Periods are counted, not ages: a clock that was wrong for a day removes nothing. All of
// them are of UTC.
#pragma once
#include <chrono>
#include <initializer_list>
#include <optional>
#include <string>
#include <vector>

#include "clara/spec/keep.hpp"
#include "clara/spec/point.hpp"

namespace clara {

/// Whose policy counts: the first that is given, else standard_keep.
Keep first_keep(std::initializer_list<std::optional<Keep>> wanted);

struct Decision {
    std::string point;
    bool keep = true;
    std::string reason;  ///< "weekly 2 of 4 (2026-W47)", "protected", "no rule keeps it"
};

/// `points` of one guest by number, the new one among them. Kept without being counted: what is protected
/// or held, unsound, unproven, in quarantine, or more than a day from the future. Nothing at all is removed
/// while the newest point is in quarantine, nor ever the last proven one. Error{usage} for an empty policy.
std::vector<Decision> rotate(const std::vector<Point>& points, const Keep& keep,
                             std::chrono::system_clock::time_point now);

}  // namespace clara
