// Which restore points stay, over years.
#include <algorithm>

#include "catch.hpp"
#include "clara/base/clock.hpp"
#include "clara/base/error.hpp"
#include "clara/ops/rotation.hpp"

using namespace clara;
using std::chrono::hours;

namespace {

using TimePoint = std::chrono::system_clock::time_point;

TimePoint at(const std::string& time) {
    return *parse_iso8601(time);
}

Point point(TimePoint time, std::uint64_t number) {
    Point made;
    made.info.time = iso8601(time);
    made.info.name = point_name(made.info.time);
    made.info.number = number;
    made.state.verified = made.info.time;
    return made;
}

std::vector<Point> daily(TimePoint last, int days) {
    std::vector<Point> points;
    for (int day = days; day >= 0; --day) points.push_back(point(last - hours(24) * day, points.size() + 1));
    return points;
}

std::vector<std::string> kept(const std::vector<Point>& points, const Keep& keep, TimePoint now) {
    std::vector<std::string> names;
    for (const auto& decision : rotate(points, keep, now))
        if (decision.keep) names.push_back(decision.point);
    return names;
}

}  // namespace

TEST_CASE("ten points of weekly 4 and monthly 6 reach 167 to 205 days") {
    double least = 1e9, most = 0;
    for (int day = 0; day < 365; ++day) {
        const TimePoint now = at("2025-01-01T03:00:00Z") + hours(24) * day;
        const auto points = daily(now, 400);
        const auto names = kept(points, standard_keep, now);
        REQUIRE(names.size() == 10);
        const auto oldest = std::find_if(points.begin(), points.end(),
                                         [&](const Point& p) { return p.info.name == names.front(); });
        const double reach = std::chrono::duration<double>(now - at(oldest->info.time)).count() / 86400;
        least = std::min(least, reach);
        most = std::max(most, reach);
    }
    CHECK(least == 167);
    CHECK(most == 205);
}

TEST_CASE("a year of daily runs keeps ten, the newest always among them") {
    std::vector<Point> points;
    TimePoint now = at("2026-01-01T03:00:00Z");
    for (int day = 0; day < 730; ++day, now += hours(24)) {
        points.push_back(point(now, static_cast<std::uint64_t>(day) + 1));
        const auto names = kept(points, standard_keep, now);
        CHECK(names.back() == points.back().info.name);
        std::erase_if(points, [&](const Point& p) {
            return std::find(names.begin(), names.end(), p.info.name) == names.end();
        });
        CHECK(kept(points, standard_keep, now) == names);
        if (day > 250) CHECK(points.size() == 10);
    }
}

TEST_CASE("what is not to be counted is kept beside") {
    const TimePoint now = at("2026-03-01T03:00:00Z");
    auto points = daily(now, 9);
    const Keep two{.last = 2};
    CHECK(kept(points, two, now).size() == 2);
    SECTION("protected") {
        points[3].state.is_protected = true;
        CHECK(kept(points, two, now).size() == 3);
    }
    SECTION("damaged, and what it stands on") {
        points[3].state.damage = {"disk.qcow2: bytes 0 to 9 are not what was written"};
        points[3].info.parent = points[2].info.name;
        CHECK(kept(points, two, now).size() == 4);
    }
    SECTION("the newest is in quarantine: all stays") {
        points.back().state.quarantine = {"mass change"};
        CHECK(kept(points, two, now).size() == 10);
    }
    SECTION("an older one in quarantine stays, the rest goes on") {
        points[8].state.quarantine = {"mass change"};
        CHECK(kept(points, two, now).size() == 3);
    }
    SECTION("none of the newer ones is proven: the last that is stays") {
        for (std::size_t i = 5; i < points.size(); ++i) points[i].state.verified.clear();
        const auto names = kept(points, {.yearly = 1}, now);
        CHECK(std::count(names.begin(), names.end(), points[4].info.name) == 1);
    }
}

TEST_CASE("a clock that was wrong removes nothing that is good") {
    const TimePoint now = at("2026-03-01T03:00:00Z");
    auto points = daily(now, 9);
    // A year ahead for one run: that point stays aside, and is not counted when the clock is right again.
    points.push_back(point(now + hours(24 * 365), 11));
    points.push_back(point(now + hours(24), 12));
    const auto names = kept(points, {.last = 2}, now + hours(24));
    CHECK(names == std::vector<std::string>{points[9].info.name, points[10].info.name, points[11].info.name});
    // A year back: all others are of the future then.
    points.push_back(point(now - hours(24 * 365), 13));
    CHECK(kept(points, {.last = 2}, now - hours(24 * 365)).size() == points.size());
}

TEST_CASE("weeks are those of ISO 8601, across the turn of a year") {
    const TimePoint now = at("2027-01-03T23:00:00Z");  // a Sunday, of 2026-W53
    const auto decisions = rotate(daily(now, 6), {.weekly = 3}, now);
    CHECK(decisions.back().reason == "weekly 1 of 3 (2026-W53)");
    CHECK(std::count_if(decisions.begin(), decisions.end(), [](const Decision& d) { return d.keep; }) == 1);
}

TEST_CASE("a policy that keeps nothing is refused") {
    CHECK_THROWS_AS(rotate({}, {}, at("2026-03-01T03:00:00Z")), Error);
    CHECK_THROWS_AS(parse_keep("weekly=0"), Error);
    CHECK_THROWS_AS(parse_keep("weekly"), Error);
    CHECK_THROWS_AS(parse_keep("fortnightly=3"), Error);
    for (const char* bad :
         {"", ",", "weekly=", "weekly=-1", "weekly=10001", "weekly=4,weekly=2", "weekly=4 "})
        CHECK_THROWS_AS(parse_keep(bad), Error);
    CHECK(parse_keep("weekly=4,monthly=6") == standard_keep);
    CHECK(keep_text(standard_keep) == "weekly=4,monthly=6");
}
