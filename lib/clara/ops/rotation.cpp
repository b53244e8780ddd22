#include "clara/ops/rotation.hpp"

#include <fmt/format.h>

#include <ctime>
#include <map>
#include <optional>
#include <set>

#include "clara/base/clock.hpp"
#include "clara/base/error.hpp"
#include "clara/ops/backup.hpp"

namespace clara {
namespace {

using TimePoint = std::chrono::system_clock::time_point;

constexpr std::chrono::hours future{24};  // a clock may be off by so much

struct Rule {
    const char* name;
    unsigned Keep::*count;
    const char* period;  ///< for strftime(3), in UTC; nullptr: each point is one of its own
};
constexpr Rule rules[] = {{"last", &Keep::last, nullptr},       {"hourly", &Keep::hourly, "%Y-%m-%dT%H"},
                          {"daily", &Keep::daily, "%Y-%m-%d"},  {"weekly", &Keep::weekly, "%G-W%V"},
                          {"monthly", &Keep::monthly, "%Y-%m"}, {"yearly", &Keep::yearly, "%Y"}};

std::string period_of(TimePoint time, const Rule& rule, const std::string& point) {
    if (!rule.period) return point;
    const std::time_t seconds = std::chrono::system_clock::to_time_t(time);
    std::tm parts{};
    ::gmtime_r(&seconds, &parts);
    char text[32] = {};
    std::strftime(text, sizeof text, rule.period, &parts);
    return text;
}

/// Why it is kept without being counted; empty: the rules decide.
std::string apart(const Point& point, const std::optional<TimePoint>& time, TimePoint now) {
    if (!point.problem.empty()) return "its manifest is damaged";
    if (!point.state.quarantine.empty()) return "it is in quarantine";
    if (!point.state.damage.empty()) return "it is damaged";
    if (point.state.is_protected) return "protected";
    if (!point.state.holders.empty()) return point.state.holders.front() + " stands on it";
    if (!time) return "its time cannot be read";
    if (*time > now + future) return "it is from the future";
    if (point.state.verified.empty()) return "it was never verified";
    return {};
}

/// What stands on a point takes over what it needs of it, which a damaged one cannot.
std::string damaged_above(const std::string& name, const std::vector<Point>& points) {
    for (const auto& point : points)
        if (point.info.parent == name && !point.state.damage.empty()) return point.info.name;
    return {};
}

struct Counted {
    std::string name;
    TimePoint time;
};

void apply(const Rule& rule, unsigned wanted, const std::vector<Counted>& newest_first,
           std::map<std::string, std::string>& kept) {
    if (wanted == 0) return;
    std::set<std::string> covered, taken;
    for (const auto& point : newest_first)
        if (kept.count(point.name)) covered.insert(period_of(point.time, rule, point.name));
    for (const auto& point : newest_first) {
        if (taken.size() >= wanted) return;
        const std::string period = period_of(point.time, rule, point.name);
        if (kept.count(point.name) || covered.count(period) || !taken.insert(period).second) continue;
        kept[point.name] = fmt::format("{} {} of {}{}", rule.name, taken.size(), wanted,
                                       rule.period ? " (" + period + ")" : "");
    }
}

}  // namespace

Keep first_keep(std::initializer_list<std::optional<Keep>> wanted) {
    for (const auto& keep : wanted)
        if (keep) return *keep;
    return standard_keep;
}

std::vector<Decision> rotate(const std::vector<Point>& points, const Keep& keep, TimePoint now) {
    if (keep.empty())
        throw Error(ErrorKind::usage, "a policy that keeps nothing would remove every restore point",
                    "say how many: keep: {weekly: 4, monthly: 6}");
    std::vector<Counted> newest_first;
    std::map<std::string, std::string> kept;
    for (auto point = points.rbegin(); point != points.rend(); ++point) {
        const auto time = parse_iso8601(point->info.time);
        if (apart(*point, time, now).empty()) newest_first.push_back({point->info.name, *time});
    }
    for (const auto& rule : rules) apply(rule, keep.*rule.count, newest_first, kept);
    const bool frozen = !points.empty() && !points.back().state.quarantine.empty();
    const Point* last = last_proven(points);
    std::vector<Decision> decisions;
    for (const auto& point : points) {
        const std::string& name = point.info.name;
        const std::string why = apart(point, parse_iso8601(point.info.time), now);
        if (!why.empty())
            decisions.push_back({name, true, why});
        else if (kept.count(name))
            decisions.push_back({name, true, kept[name]});
        else if (frozen)
            decisions.push_back({name, true, "the newest point is in quarantine"});
        else if (last == &point)
            decisions.push_back({name, true, "the last good one"});
        else if (const std::string above = damaged_above(name, points); !above.empty())
            decisions.push_back({name, true, above + ", which is damaged, stands on it"});
        else
            decisions.push_back({name, false, "no rule keeps it"});
    }
    return decisions;
}

}  // namespace clara
