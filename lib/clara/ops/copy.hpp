// Planning of copies of restore points in a second store. Pure.
#pragma once
#include <chrono>
#include <string>
#include <vector>

#include "clara/plan/plan.hpp"
#include "clara/spec/keep.hpp"
#include "clara/spec/point.hpp"

namespace clara {

/// What both stores have of one guest.
struct CopyFacts {
    std::string from, to;  ///< pools, absolute folders
    std::vector<Point> source, target;
    std::vector<std::string> images;  ///< NAME@DIGEST that `to` has
    std::uint64_t room = 0;           ///< bytes free in `to`
};

struct CopyOptions {
    Keep keep;               ///< of the target
    bool prune = true;       ///< remove there what no rule keeps
    std::uint64_t rate = 0;  ///< bytes a second, 0: as fast as it goes
};

/// Sends proven points that the target has not and its own rotation would keep, the oldest first; then what
/// that rotation does not keep is removed there. An empty plan: it has all. Error{refused}: another guest's
/// points have that name there, or there is no room.
Plan plan_copy(const std::string& guest, const CopyFacts& facts, const CopyOptions& options,
               std::chrono::system_clock::time_point now);

}  // namespace clara
