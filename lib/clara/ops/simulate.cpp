#include "clara/ops/simulate.hpp"

#include <fmt/format.h>

#include <algorithm>

#include "clara/base/clock.hpp"
#include "clara/base/error.hpp"
#include "clara/ops/backup.hpp"

namespace clara {
namespace {

using TimePoint = std::chrono::system_clock::time_point;

constexpr std::chrono::minutes shortest_pause{1};
constexpr std::uint64_t most_runs = 20000;  // seconds of work; two years of hourly ones

Point proven_point(TimePoint now, std::uint64_t number, const std::vector<Point>& others) {
    Point point;
    point.info.name = free_point_name(now, others);
    point.info.number = number;
    point.info.time = point.state.verified = iso8601(now);
    return point;
}

double days_back(TimePoint now, const std::vector<Point>& points) {
    TimePoint oldest = now;
    for (const auto& point : points) oldest = std::min(oldest, *parse_iso8601(point.info.time));
    return std::chrono::duration<double, std::ratio<86400>>(now - oldest).count();
}

}  // namespace

std::string Simulation::Step::month() const {
    return iso8601(now).substr(0, 7);
}

Simulation simulate(const Keep& keep, const std::vector<TimePoint>& runs) {
    Simulation simulation;
    std::vector<Point> points;
    std::uint64_t number = 0;
    for (const TimePoint now : runs) {
        points.push_back(proven_point(now, ++number, points));
        simulation.left.clear();
        std::vector<Point> kept;
        const auto decisions = rotate(points, keep, now);
        for (std::size_t i = 0; i < points.size(); ++i) {  // decisions are in the order of the points
            if (!decisions[i].keep) continue;
            kept.push_back(std::move(points[i]));
            simulation.left.push_back(decisions[i]);
        }
        points = std::move(kept);
        simulation.steps.push_back({now, points.size(), days_back(now, points)});
    }
    return simulation;
}

std::vector<Simulation::Step> Simulation::months() const {
    std::vector<Step> last;
    for (const Step& step : steps) {
        if (!last.empty() && last.back().month() == step.month()) last.pop_back();
        last.push_back(step);
    }
    return last;
}

std::optional<Reach> reach_of(const Simulation& simulation, const Keep& keep) {
    std::optional<Reach> reach;
    for (const auto& step : simulation.steps) {
        if (!reach && step.points < keep.total()) continue;
        if (!reach) reach = Reach{step.reach_days, step.reach_days};
        reach->least = std::min(reach->least, step.reach_days);
        reach->most = std::max(reach->most, step.reach_days);
    }
    return reach;
}

std::vector<TimePoint> regular_runs(TimePoint begin, std::chrono::milliseconds every, unsigned days) {
    if (every < shortest_pause)
        throw Error(ErrorKind::usage, "a run more often than each minute is no backup", "e.g. --every 1d");
    const auto end = begin + std::chrono::hours(24) * days;
    const auto count = static_cast<std::uint64_t>((end - begin) / every);
    if (count > most_runs)
        throw Error(ErrorKind::usage, fmt::format("these are {} runs, {} are the most", count, most_runs),
                    "fewer --days, or a longer pause: --every 1d");
    std::vector<TimePoint> runs;
    for (TimePoint now = begin; now < end; now += every) runs.push_back(now);
    return runs;
}

}  // namespace clara
