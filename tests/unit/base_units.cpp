#include "catch.hpp"
#include "clara/base/units.hpp"

using namespace clara;
using namespace std::chrono_literals;

TEST_CASE("durations are read with their unit, seconds without one") {
    CHECK(parse_duration("5s") == 5000ms);
    CHECK(parse_duration("250ms") == 250ms);
    CHECK(parse_duration("1.5s") == 1500ms);
    CHECK(parse_duration("2m") == 120000ms);
    CHECK(parse_duration("7") == 7000ms);
    CHECK(parse_duration("1d") == 24h);
    CHECK(parse_duration("0.5d") == 12h);
    CHECK(parse_duration("41d") == 984h);
    for (const char* bad : {"", "s", "-1s", "5 s", "5x", "1e3s", "nan", "inf", "99999h", "0x5", "42d", "1D", "1 d", "1d2h", "d"})
        CHECK_FALSE(parse_duration(bad).has_value());
}

TEST_CASE("a duration's text reads back as the same duration") {
    for (auto d : {0ms, 250ms, 1000ms, 1500ms, 60000ms, 1001ms, 86400000ms}) CHECK(parse_duration(duration_text(d)) == d);
}

TEST_CASE("sizes are powers of 1024") {
    CHECK(parse_size("4096") == 4096);
    CHECK(parse_size("64M") == 64ULL << 20);
    CHECK(parse_size("1GiB") == 1ULL << 30);
    CHECK(parse_size("1.5K") == 1536);
    for (const char* bad : {"", "M", "64MB", "64 M", "-1", "1Q", "99999999T", "1KK"})
        CHECK_FALSE(parse_size(bad).has_value());
}

TEST_CASE("sizes and uptimes are told in units that fit") {
    CHECK(size_text(512) == "512 B");
    CHECK(size_text(1536) == "1.5 KiB");
    CHECK(size_text(3ULL << 40) == "3.0 TiB");
    CHECK(uptime_text(8.7) == "8s");
    CHECK(uptime_text(725) == "12m 5s");
    CHECK(uptime_text(273600) == "3d 4h");
}
