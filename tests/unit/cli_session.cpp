#include "catch.hpp"
#include "clara/base/error.hpp"
#include "clara/cli/session.hpp"

using namespace clara;

TEST_CASE("escape keys") {
    CHECK(parse_escape("^]") == '\x1d');
    CHECK(parse_escape("^a") == '\x01');
    CHECK(parse_escape("^A") == '\x01');
    CHECK_FALSE(parse_escape("none"));
    for (const char* wrong : {"", "^", "a", "^1", "^]x"}) CHECK_THROWS_AS(parse_escape(wrong), Error);
}
