// A policy over years of a clock that is made up, and that goes wrong.
#include <algorithm>

#include "catch.hpp"
#include "clara/base/clock.hpp"
#include "clara/base/error.hpp"
#include "clara/ops/simulate.hpp"

using namespace clara;
using std::chrono::hours;
using std::chrono::minutes;

namespace {

using TimePoint = std::chrono::system_clock::time_point;
using Runs = std::vector<TimePoint>;
using Names = std::vector<std::string>;

constexpr hours day{24};

TimePoint at(const std::string& time) {
    return *parse_iso8601(time);
}

Runs daily(const std::string& begin, unsigned days) {
    return regular_runs(at(begin), day, days);
}

void append(Runs& runs, TimePoint begin, int count) {
    for (int i = 0; i < count; ++i) runs.push_back(begin + day * i);
}

/// Days of what is left: 20261231.
Names days_of(const Simulation& simulation) {
    Names names;
    for (const auto& decision : simulation.left) names.push_back(decision.point.substr(0, 8));
    return names;
}

bool left_has(const Simulation& simulation, TimePoint time) {
    const Names names = days_of(simulation);
    return std::count(names.begin(), names.end(), point_name(iso8601(time)).substr(0, 8)) == 1;
}

/// Central Europe: summer time from the last Sunday of March to that of October, 01:00 UTC.
bool summer(TimePoint time) {
    using namespace std::chrono;
    const year_month_day date{floor<days>(time)};
    const auto change = [&](month in) { return sys_days{date.year() / in / Sunday[last]} + hours(1); };
    return time >= change(March) && time < change(October);
}

}  // namespace

TEST_CASE("a year of daily runs keeps exactly the promised ten") {
    const auto year = simulate(standard_keep, daily("2026-01-01T03:00:00Z", 365));
    CHECK(year.steps.size() == 365);
    CHECK(days_of(year) == Names{"20260628", "20260726", "20260830", "20260927", "20261025", "20261129",
                                 "20261213", "20261220", "20261227", "20261231"});
    // Sundays all of them: what a week does not keep its month cannot have later.
    CHECK(year.left.front().reason == "monthly 6 of 6 (2026-06)");
    CHECK(year.left.back().reason == "weekly 1 of 4 (2026-W53)");
    CHECK(year.steps.back().points == 10);
    CHECK(year.steps.back().reach_days == 186);
}

TEST_CASE("each month's end is told") {
    const auto months = simulate(standard_keep, daily("2026-01-01T03:00:00Z", 365)).months();
    REQUIRE(months.size() == 12);
    for (const auto& month : months) {
        INFO(iso8601(month.now));
        CHECK(month.points <= 10);
        CHECK((month.points == 10) == (iso8601(month.now) > "2026-07"));
        CHECK(iso8601(month.now + day).substr(8, 2) == "01");
    }
}

TEST_CASE("the reach of daily pruning over a whole cycle of the calendar") {
    const Runs runs = daily("2000-01-01T03:00:00Z", 28 * 366);
    const auto reach = reach_of(simulate(standard_keep, runs), standard_keep);
    REQUIRE(reach);
    CHECK(reach->least == 169);
    CHECK(reach->most == 210);
}

TEST_CASE("as long as a policy is not full it has no reach") {
    const Keep years{.yearly = 3};
    CHECK_FALSE(reach_of(simulate(years, daily("2026-01-01T03:00:00Z", 365)), years));
    CHECK(reach_of(simulate(years, daily("2026-01-01T03:00:00Z", 800)), years));
}

TEST_CASE("summer time neither loses nor doubles a day") {
    const Keep month{.daily = 30};
    for (const auto local : {minutes(0), minutes(30), minutes(150), minutes(23 * 60 + 30)}) {
        Runs runs;
        for (int i = 0; i < 400; ++i) {
            const TimePoint winter = at("2025-12-31T23:00:00Z") + local + day * i;
            runs.push_back(summer(winter) ? winter - hours(1) : winter);
        }
        const auto year = simulate(month, runs);
        for (std::size_t i = 30; i < runs.size(); ++i) {
            INFO(iso8601(runs[i]));
            CHECK(year.steps[i].points == 30);
            CHECK(year.steps[i].reach_days < 29.1);
        }
    }
}

TEST_CASE("the 53rd week of a year is one of its own, and does not end with the year") {
    const auto weeks = simulate({.weekly = 4}, daily("2026-11-01T03:00:00Z", 71));
    CHECK(days_of(weeks) == Names{"20261220", "20261227", "20270103", "20270110"});
    CHECK(weeks.left[2].reason == "weekly 2 of 4 (2026-W53)");
    CHECK(weeks.left[3].reason == "weekly 1 of 4 (2027-W01)");
}

TEST_CASE("29 February is a day and the end of its month") {
    const Runs runs = daily("2028-02-01T03:00:00Z", 30);
    CHECK(days_of(simulate({.daily = 3}, runs)) == Names{"20280228", "20280229", "20280301"});
    CHECK(days_of(simulate({.monthly = 2}, runs)) == Names{"20280229", "20280301"});
}

TEST_CASE("a clock set back a year removes nothing, and all is as it was when it is right again") {
    for (const int wrong : {1, 40}) {
        INFO(wrong << " runs");
        Runs runs = daily("2026-01-01T03:00:00Z", 365);
        const auto before = simulate(standard_keep, runs);
        append(runs, at("2026-01-01T03:00:00Z"), wrong);
        const auto set_back = simulate(standard_keep, runs);
        for (const auto& decision : before.left) {
            const auto same = [&](const Decision& d) { return d.point == decision.point; };
            CHECK(std::any_of(set_back.left.begin(), set_back.left.end(), same));
        }
        append(runs, at("2027-01-01T03:00:00Z") + day * wrong, 300);
        const auto after = simulate(standard_keep, runs);
        CHECK(after.steps.back().points == 10);
        CHECK(after.steps.back().reach_days <= 210);
    }
}

TEST_CASE("a clock set forward a year leaves old points, and the new ones aside") {
    for (const int wrong : {1, 40}) {
        INFO(wrong << " runs");
        Runs runs = daily("2026-01-01T03:00:00Z", 365);
        const TimePoint newest = runs.back();
        append(runs, newest + day * 365, wrong);
        const auto forward = simulate(standard_keep, runs);
        const auto old = std::count_if(forward.left.begin(), forward.left.end(),
                                       [](const Decision& d) { return d.point < "2027"; });
        CHECK(forward.steps.back().points == 10);
        CHECK(old == (wrong == 1 ? 9 : 5));
        // Right again: each run keeps what the wrong ones have left, and they are not counted.
        append(runs, newest + day * (wrong + 1), 1);
        const auto right = simulate(standard_keep, runs);
        CHECK(left_has(right, runs.back()));
        append(runs, newest + day * (wrong + 2), 300);
        const auto after = simulate(standard_keep, runs);
        const auto aside = std::count_if(after.left.begin(), after.left.end(), [](const Decision& d) {
            return d.reason == "it is from the future";
        });
        CHECK(after.steps.back().points == 10 + static_cast<std::size_t>(aside));
        CHECK(aside == (wrong == 1 ? 1 : 5));
        // Once their time has come they are points as any other.
        append(runs, runs.back() + day, 500);
        CHECK(simulate(standard_keep, runs).steps.back().points == 10);
    }
}

TEST_CASE("runs are refused that are too many or none") {
    const TimePoint begin = at("2026-01-01T03:00:00Z");
    CHECK(regular_runs(begin, hours(6), 1).size() == 4);
    CHECK(regular_runs(begin, day * 3, 1).size() == 1);
    CHECK_THROWS_AS(regular_runs(begin, minutes(0), 1), Error);
    CHECK_THROWS_AS(regular_runs(begin, minutes(1), 3660), Error);
}
