// What holds of any policy and any history.
#include <algorithm>
#include <map>
#include <random>

#include "catch.hpp"
#include "clara/base/clock.hpp"
#include "clara/ops/backup.hpp"
#include "clara/ops/rotation.hpp"

using namespace clara;

namespace {

using TimePoint = std::chrono::system_clock::time_point;
using std::chrono::hours;
using std::chrono::minutes;

constexpr const char* rule_names[] = {"last", "hourly", "daily", "weekly", "monthly", "yearly"};

struct Scene {
    std::vector<Point> points;
    Keep keep;
    TimePoint now;
};

class Chance {
  public:
    explicit Chance(unsigned seed) : random_(seed) {}
    int below(int limit) { return std::uniform_int_distribution<int>(0, limit - 1)(random_); }
    bool one_in(int count) { return below(count) == 0; }

    Scene scene() {
        Scene scene;
        scene.now = *parse_iso8601("2024-01-01T00:00:00Z") + hours(below(20000));
        const int count = below(60), pace = below(4);
        for (int i = 0; i < count; ++i) {
            scene.now += step(pace);
            scene.points.push_back(point(scene.points, scene.now));
        }
        if (one_in(10)) scene.now -= hours(24 * below(400));
        unsigned Keep::*const rules[] = {&Keep::last,   &Keep::hourly,  &Keep::daily,
                                         &Keep::weekly, &Keep::monthly, &Keep::yearly};
        for (auto rule : rules)
            if (one_in(2)) scene.keep.*rule = static_cast<unsigned>(below(7));
        if (scene.keep.empty()) scene.keep.weekly = 1;
        return scene;
    }

  private:
    minutes step(int pace) {
        if (one_in(40)) return hours(24 * (below(800) - 400));  // the clock was set
        constexpr int longest[] = {90, 60 * 30, 60 * 24 * 8, 60 * 24 * 40};
        return minutes(1 + below(longest[pace]));
    }

    Point point(const std::vector<Point>& others, TimePoint time) {
        Point made;
        made.info.name = free_point_name(time, others);
        made.info.time = iso8601(time);
        made.info.number = others.size() + 1;
        if (!others.empty() && !one_in(5)) made.info.parent = others.back().info.name;
        if (!one_in(10)) made.state.verified = made.info.time;
        if (one_in(15)) made.state.is_protected = true;
        if (one_in(15)) made.state.damage = {"disk.qcow2: bytes 0 to 9 are not what was written"};
        if (one_in(15)) made.state.quarantine = {"mass change"};
        if (one_in(30)) made.problem = "its manifest.json is damaged";
        return made;
    }

    std::mt19937 random_;
};

/// Reckoned with the calendar, not with strftime.
std::string period(const std::string& rule, const Point& point) {
    using namespace std::chrono;
    const TimePoint time = *parse_iso8601(point.info.time);
    const auto date = floor<days>(time);
    const year_month_day ymd{date};
    if (rule == "last") return point.info.name;
    if (rule == "hourly") return std::to_string(floor<hours>(time).time_since_epoch().count());
    if (rule == "daily") return std::to_string(date.time_since_epoch().count());
    if (rule == "weekly")  // the Monday it began with
        return std::to_string((date - (weekday{date} - Monday)).time_since_epoch().count());
    const std::string year = std::to_string(static_cast<int>(ymd.year()));
    return rule == "yearly" ? year : year + "-" + std::to_string(static_cast<unsigned>(ymd.month()));
}

/// 0 to 5: which rule keeps it; -1: none.
int rule_of(const Decision& decision) {
    for (int rule = 0; rule < 6; ++rule)
        if (decision.keep && decision.reason.rfind(std::string(rule_names[rule]) + " ", 0) == 0) return rule;
    return -1;
}

/// Is it one that rules look at?
bool counts(const Point& point, TimePoint now) {
    return point.proven() && !point.state.is_protected && *parse_iso8601(point.info.time) <= now + hours(24);
}

}  // namespace

TEST_CASE("rotation: for any history and any policy") {
    Chance chance(20261129);
    std::size_t removed = 0, ruled = 0;
    for (int round = 0; round < 1000; ++round) {
        const Scene s = chance.scene();
        INFO("round " << round << ", " << keep_text(s.keep) << ", now " << iso8601(s.now));
        const auto decisions = rotate(s.points, s.keep, s.now);
        REQUIRE(decisions.size() == s.points.size());

        const Point* last = last_proven(s.points);
        const Point* newest = nullptr;
        std::size_t by_rules = 0;
        std::vector<Point> left;
        for (std::size_t i = 0; i < decisions.size(); ++i) {
            const Point& point = s.points[i];
            const Decision& decision = decisions[i];
            INFO(decision.point << ": " << decision.reason);
            REQUIRE(decision.point == point.info.name);
            CHECK_FALSE(decision.reason.empty());
            if (&point == last) CHECK(decision.keep);
            if (!point.good() || point.state.verified.empty() || point.state.is_protected)
                CHECK((decision.keep && rule_of(decision) < 0));
            if (counts(point, s.now)) newest = &point;
            if (decision.keep) left.push_back(point);
            if (!decision.keep) ++removed;
            if (rule_of(decision) >= 0) ++by_rules;
        }
        CHECK(by_rules <= s.keep.total());
        ruled += by_rules;
        if (newest) CHECK(rule_of(decisions[static_cast<std::size_t>(newest - s.points.data())]) >= 0);
        if (!s.points.empty() && !s.points.back().state.quarantine.empty())
            CHECK(left.size() == s.points.size());

        // Run twice, the second time has nothing to do, for the same reasons.
        std::vector<Decision> same;
        for (const auto& decision : decisions)
            if (decision.keep) same.push_back(decision);
        const auto again = rotate(left, s.keep, s.now);
        REQUIRE(again.size() == same.size());
        for (std::size_t i = 0; i < again.size(); ++i) {
            CHECK(again[i].keep);
            CHECK(again[i].reason == same[i].reason);
        }
    }
    CHECK(removed > 3000);  // there was something to decide
    CHECK(ruled > 3000);
}

TEST_CASE("rotation: each rule keeps the newest of a period, and none that a finer rule has one of") {
    Chance chance(4711);
    for (int round = 0; round < 1000; ++round) {
        const Scene s = chance.scene();
        INFO("round " << round << ", " << keep_text(s.keep) << ", now " << iso8601(s.now));
        const auto decisions = rotate(s.points, s.keep, s.now);
        std::map<int, std::map<std::string, int>> seen;
        for (std::size_t i = 0; i < decisions.size(); ++i) {
            const int rule = rule_of(decisions[i]);
            if (rule < 0) continue;
            const std::string own = period(rule_names[rule], s.points[i]);
            INFO(decisions[i].point << ": " << decisions[i].reason);
            CHECK(++seen[rule][own] == 1);
            for (std::size_t other = 0; other < decisions.size(); ++other) {
                if (other == i || period(rule_names[rule], s.points[other]) != own) continue;
                INFO("beside " << decisions[other].point << ": " << decisions[other].reason);
                const int its = rule_of(decisions[other]);
                CHECK((its < 0 || its > rule));
                if (counts(s.points[other], s.now)) CHECK(other < i);
            }
        }
    }
}
