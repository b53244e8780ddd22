#include "clara/ops/shape.hpp"

#include <fmt/format.h>

#include <algorithm>

#include "clara/base/units.hpp"

namespace clara {
namespace {

struct Shape {
    std::uint64_t data = 0, written = 0, dense = 0;  ///< bytes
};

Shape shape_of(const PointInfo& info) {
    Shape shape;
    for (const auto& disk : info.disks) {
        shape.data += disk.data;
        shape.written += disk.changed - disk.zeroed;
        shape.dense += disk.dense;
    }
    return shape;
}

std::uint64_t percent(std::uint64_t part, std::uint64_t whole) {
    return whole == 0 ? 0 : part * 100 / whole;
}

}  // namespace

std::vector<std::string> judge_shape(const PointInfo& now, const PointInfo& last_good) {
    std::vector<std::string> reasons;
    const Shape here = shape_of(now), there = shape_of(last_good);
    if (there.data >= shape_matters && percent(here.data, there.data) < shrunk_share)
        reasons.push_back(
            fmt::format("it has shrunk from {} to {}", size_text(there.data), size_text(here.data)));
    std::uint64_t changed = 0;
    if (!now.parent.empty())
        for (const auto& disk : now.disks) changed += disk.changed;
    // What was added is no change of what was there.
    changed -= std::min(changed, here.data - std::min(here.data, there.data));
    if (changed >= shape_matters && percent(changed, there.data) > mass_change)
        reasons.push_back(fmt::format("{} of {} are other than in {}", size_text(changed),
                                      size_text(there.data), last_good.name));
    const bool was_dense = percent(there.dense, there.written) > dense_share / 2;
    if (here.dense >= shape_matters / 4 && percent(here.dense, here.written) > dense_share && !was_dense)
        reasons.push_back(
            fmt::format("{} of what has changed looks random or encrypted", size_text(here.dense)));
    return reasons;
}

}  // namespace clara
