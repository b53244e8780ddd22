// What a policy keeps over time: backups under a clock that is made up, each followed by rotation. Pure.
#pragma once
#include <chrono>
#include <optional>
#include <string>
#include <vector>

#include "clara/ops/rotation.hpp"

namespace clara {

struct Simulation {
    struct Step {
        std::chrono::system_clock::time_point now;
        std::size_t points = 0;     ///< that are kept
        double reach_days = 0;      ///< how far back the oldest of them is
        std::string month() const;  ///< 2026-11, UTC
    };
    std::vector<Step> steps;     ///< as it is after each run
    std::vector<Decision> left;  ///< what is there in the end and why, by number

    /// The last step of each calendar month (UTC).
    std::vector<Step> months() const;
};

/// Each run makes a proven point and removes what no rule keeps, as plan_backup() would.
Simulation simulate(const Keep& keep, const std::vector<std::chrono::system_clock::time_point>& runs);

/// Least and most days that the points reach back, from the first step on where every period that `keep`
/// counts has a point; nullopt where that never comes.
struct Reach {
    double least = 0, most = 0;
};
std::optional<Reach> reach_of(const Simulation& simulation, const Keep& keep);

/// The first one at `begin`, the last one before so many days are over. Error{usage} where these are too
/// many.
std::vector<std::chrono::system_clock::time_point> regular_runs(std::chrono::system_clock::time_point begin,
                                                                std::chrono::milliseconds every,
                                                                unsigned days);

}  // namespace clara
