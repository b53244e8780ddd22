#include <set>

#include "catch.hpp"
#include "clara/base/clock.hpp"

using namespace clara;

TEST_CASE("a time is written as UTC") {
    CHECK(iso8601(std::chrono::system_clock::from_time_t(1795423172)) == "2026-11-23T08:39:32Z");
}

TEST_CASE("random numbers differ") {
    auto random = system_random();
    std::set<std::uint64_t> seen;
    for (int i = 0; i < 100; ++i) seen.insert(random());
    CHECK(seen.size() == 100);
}
