#include "catch.hpp"
#include "clara/cli/nagios.hpp"

using namespace clara;
using Catch::Matchers::Contains;
using Level = BackupStatus::Level;

namespace {

BackupStatus guest(const std::string& name, Level level, double age_s, const std::string& text) {
    return {.level = level,
            .guest = name,
            .newest = "20261129T030000Z",
            .age_s = age_s,
            .warning_s = 129600,
            .critical_s = 259200,
            .points = 3,
            .text = text};
}

}  // namespace

TEST_CASE("nagios: one line, the text and the figures of each guest") {
    CHECK(nagios_line(std::vector{guest("bpm01", Level::ok, 3600.4, "1h old"),
                                  guest("bpm02", Level::warning, 136800, "1d 14h old")}) ==
          "BACKUP WARNING - bpm02: 1d 14h old | age_bpm01=3600s;129600;259200 "
          "age_bpm02=136800s;129600;259200 guests=2 late=1 gone=0");
    CHECK(nagios_line(std::vector<BackupStatus>{}) ==
          "BACKUP OK - there are no guests | guests=0 late=0 gone=0");
}

TEST_CASE("nagios: an age that nobody knows is U, a guest that is gone has none") {
    auto none = guest("new", Level::critical, 0, "no restore point");
    none.age_s.reset();
    auto gone = guest("old", Level::ok, 9e6, "no guest of this pool");
    gone.gone = true;
    CHECK(nagios_line(std::vector{none, gone}) ==
          "BACKUP CRITICAL - new: no restore point | age_new=U;129600;259200 guests=1 late=1 gone=1");
    CHECK_THAT(nagios_line(std::vector{gone}), Contains("BACKUP OK - there are no guests |"));
}

TEST_CASE("nagios: the worst come first, and not all of a hundred") {
    std::vector<BackupStatus> all;
    for (int i = 10; i < 30; ++i)
        all.push_back(guest("bpm" + std::to_string(i), Level::warning, 2e5, "2d 7h old"));
    all.push_back(guest("db", Level::critical, 9e5, "10d 10h old"));
    const std::string line = nagios_line(all);
    CHECK_THAT(line, Contains("BACKUP CRITICAL - db: 10d 10h old, bpm10: 2d 7h old, ") &&
                         Contains("bpm18: 2d 7h old and 11 more | "));
    CHECK(worst_of(all) == Level::critical);
}

TEST_CASE("nagios: foreign text breaks neither the line nor its figures") {
    const auto odd = guest("bpm01", Level::critical, 1, "1s old; the newest is in quarantine: a|b\nc\x1b[1m");
    CHECK_THAT(nagios_line(std::vector{odd}), Contains("quarantine: a/b | age_bpm01=1s"));
    CHECK(nagios_line("site.yaml:1:1: what|\nmore") == "BACKUP UNKNOWN - site.yaml:1:1: what/");
}
