#include "catch.hpp"
#include "clara/base/error.hpp"
#include "clara/cli/selection.hpp"

using namespace clara;

TEST_CASE("names come in the order given, ranges expanded, each once") {
    CHECK(selected({{"z", "bpm[01-02]", "bpm01"}}, {}) == std::vector<std::string>{"z", "bpm01", "bpm02"});
}

TEST_CASE("--all is all guests known, and excludes names") {
    CHECK(selected({{}, true}, {"a", "b"}) == std::vector<std::string>{"a", "b"});
    CHECK_THROWS_AS(selected({{"a"}, true}, {"a"}), Error);
    CHECK_THROWS_AS(selected({}, {"a"}), Error);
}
