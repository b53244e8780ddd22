// Planning for a guest with thousands of restore points.
#include <algorithm>
#include <set>

#include "clara/ops/backup.hpp"
#include "clara/ops/backup_status.hpp"
#include "planning.hpp"

using namespace clara;
using std::chrono::hours;
using std::chrono::system_clock;

namespace {

constexpr unsigned many = 5000;

GuestSpec guest() {
    GuestSpec spec = vm_spec("bpm01");
    spec.created = "2026-01-01T00:00:00Z";
    return spec;
}

/// One an hour up to now, each on the one before, every `longest_chain` a full one.
std::vector<Point> points_of(const GuestSpec& spec) {
    std::vector<Point> points;
    for (unsigned i = 0; i < many; ++i) {
        Point point;
        point.info.guest = spec.name;
        point.info.time = iso8601(clock_at_noon()() - hours(many - i));
        point.info.name = point_name(point.info.time);
        point.info.number = i + 1;
        point.info.kind = spec.kind;
        point.info.born = spec.created;
        if (i % longest_chain != 0) point.info.parent = points.back().info.name;
        point.state.verified = point.info.time;
        points.push_back(point);
    }
    return points;
}

Plan plan(const std::vector<Point>& points, const Keep& keep, std::vector<std::string> checkpoints = {}) {
    const GuestSpec spec = guest();
    Facts facts;
    facts.guests[spec.name].name = spec.name;
    facts.guests[spec.name].kind = spec.kind;
    facts.guests[spec.name].state = GuestState::running;
    facts.kvm_defined = {spec.name};
    BackupFacts backups{.store = "/srv/backups", .points = points};
    backups.room = std::uint64_t{1} << 40;
    backups.checkpoints = std::move(checkpoints);
    return plan_backup(spec, vm_site(), facts, backups, {.keep = keep}, clock_at_noon());
}

template <class A>
std::vector<A> all(const Plan& plan) {
    std::vector<A> found;
    for (const auto& action : plan.actions)
        if (const A* one = std::get_if<A>(&action)) found.push_back(*one);
    return found;
}

}  // namespace

TEST_CASE("of thousands of points the newest is stood on, and only what no rule keeps goes") {
    const auto points = points_of(guest());
    const Plan made = plan(points, standard_keep, {"clara-" + points.back().info.name});
    const auto make = all<MakePoint>(made);
    REQUIRE(make.size() == 1);
    CHECK(make[0].info.number == many + 1);
    CHECK(make[0].info.parent == points.back().info.name);
    CHECK(make[0].bitmap == "clara-" + points.back().info.name);
    CHECK(all<ProvePoint>(made).at(0).last_good == points.back().info.name);
    std::set<std::string> removed;
    for (const auto& one : all<RemovePoint>(made)) {
        CHECK(one.reason == "no rule keeps it");
        CHECK(removed.insert(one.point).second);
    }
    // 208 days: four weeks, the new one's among them, and six months.
    CHECK(removed.size() == many + 1 - 10);
    CHECK_FALSE(removed.count(points.back().info.name));  // of last week: today is a Monday
    CHECK(std::holds_alternative<PublishPoint>(made.actions.at(2)));
}

TEST_CASE("a chain of the greatest length, the 64th of thousands, ends in a full one") {
    auto points = points_of(guest());
    points.resize(longest_chain * 78);
    REQUIRE(chain_of(points.back().info.name, points).size() == longest_chain);
    const auto make = all<MakePoint>(plan(points, {.last = 1}));
    CHECK(make[0].info.parent.empty());
    CHECK(make[0].info.full_because == "64 points stand on each other");
}

TEST_CASE("thousands of protected and damaged points hinder nobody") {
    auto points = points_of(guest());
    for (auto& point : points) {
        point.state.is_protected = point.info.number % 3 == 0;
        if (point.info.number % 3 == 1) point.state.damage = {"disk.qcow2 is not what was written"};
    }
    const Plan made = plan(points, {.last = 1});
    // What damaged ones stand on stays as well: all but what is neither and below nothing damaged.
    for (const auto& one : all<RemovePoint>(made)) {
        const Point* point = find_point(one.point, points);
        REQUIRE(point);
        CHECK(point->proven());
        CHECK_FALSE(point->state.is_protected);
    }
    const BackupStatus status = backup_status({.guest = "bpm01", .points = points}, clock_at_noon()());
    CHECK(status.points == many);
    CHECK(status.level == BackupStatus::Level::warning);
}

TEST_CASE("a ring of parents, which no honest store has, ends") {
    auto points = points_of(guest());
    points[0].info.parent = points.back().info.name;
    for (auto& point : points)
        if (point.info.parent.empty()) point.info.parent = points[point.info.number - 2].info.name;
    CHECK(chain_of(points.back().info.name, points).size() <= many + 1);
    CHECK(all<MakePoint>(plan(points, {.last = 1}))[0].info.parent.empty());
}
