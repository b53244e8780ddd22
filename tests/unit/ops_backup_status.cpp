#include "catch.hpp"
#include "clara/base/clock.hpp"
#include "clara/ops/backup_status.hpp"

using namespace clara;
using Catch::Matchers::Contains;
using Level = BackupStatus::Level;
using namespace std::chrono_literals;

namespace {

const auto now = *parse_iso8601("2026-11-29T12:00:00Z");

Point aged(std::chrono::seconds age) {
    Point point;
    point.info.time = iso8601(now - age);
    point.info.name = point_name(point.info.time);
    point.info.host = "host-b";
    point.state.verified = point.info.time;
    return point;
}

/// `every` is a day; points by age.
BackupStatus status(std::vector<Point> points) {
    return backup_status({.guest = "magnets", .points = std::move(points)}, now);
}

}  // namespace

TEST_CASE("late is what is older than 1.5 times, very late than 3 times what is expected") {
    const std::pair<std::chrono::seconds, Level> cases[] = {{0s, Level::ok},
                                                            {36h, Level::ok},
                                                            {36h + 1s, Level::warning},
                                                            {72h, Level::warning},
                                                            {72h + 1s, Level::critical},
                                                            {9000h, Level::critical}};
    for (const auto& [age, level] : cases) {
        INFO(age.count());
        CHECK(status({aged(age)}).level == level);
        CHECK(status({aged(age)}).age_s == static_cast<double>(age.count()));
    }
    const auto hourly = backup_status({.guest = "db", .points = {aged(91min)}, .every = 1h}, now);
    CHECK(hourly.level == Level::warning);
    CHECK(hourly.warning_s == 5400);
    CHECK(hourly.critical_s == 10800);
    CHECK(hourly.text == "1h 31m old");
}

TEST_CASE("the age is that of the newest proven point") {
    Point unproven = aged(1h);
    unproven.state.verified.clear();
    const auto late = status({aged(100h), aged(40h), unproven});
    CHECK(late.level == Level::warning);
    CHECK(late.newest == aged(40h).info.name);
    CHECK(late.points == 3);
    CHECK(status({}).text == "no restore point");
    CHECK(status({unproven}).text == "no proven restore point");
    CHECK(status({unproven}).level == Level::critical);
    CHECK_FALSE(status({unproven}).age_s);
}

TEST_CASE("a point from the future is a warning: a clock was wrong") {
    CHECK(status({aged(-1h)}).level == Level::warning);
    CHECK(status({aged(-1h)}).text == "from the future");
}

TEST_CASE("damage is a warning, a quarantine of the newest an alarm") {
    Point damaged = aged(50h);
    damaged.state.damage = {"disk.qcow2"};
    CHECK(status({damaged, aged(1h)}).level == Level::warning);
    CHECK_THAT(status({damaged, aged(1h)}).text, Contains("1h 0m old; " + damaged.info.name + " is damaged"));
    Point caught = aged(1h);
    caught.state.quarantine = {"mass change"};
    CHECK(status({aged(2h), caught}).level == Level::critical);
    CHECK_THAT(status({aged(2h), caught}).text, Contains("the newest is in quarantine: mass change"));
    CHECK(status({caught, aged(0s)}).level == Level::ok);
}

TEST_CASE("a guest whose guest.yaml cannot be read is told, in one line") {
    BackupWatch watch{.guest = "magnets", .points = {aged(1h)}, .problem = "guest.yaml:3:1: bad\nand more"};
    CHECK(backup_status(watch, now).level == Level::warning);
    CHECK(backup_status(watch, now).text == "1h 0m old; guest.yaml:3:1: bad");
    watch.points.clear();
    CHECK(backup_status(watch, now).level == Level::critical);
}

TEST_CASE("a guest that is gone is no alarm, whatever its points are like") {
    Point caught = aged(9000h);
    caught.state.quarantine = {"mass change"};
    const auto gone = backup_status({.guest = "old", .points = {aged(9001h), caught}, .gone = true}, now);
    CHECK(gone.level == Level::ok);
    CHECK(gone.gone);
    CHECK(gone.points == 2);
    CHECK_THAT(gone.text, Contains("no guest of this pool, was backed up on host-b; 375d 1h old"));
}
