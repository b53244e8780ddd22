#include "catch.hpp"
#include "clara/base/error.hpp"
#include "clara/spec/names.hpp"

using namespace clara;
using Names = std::vector<std::string>;

TEST_CASE("a name is a host name label") {
    for (const std::string& good : {std::string("a"), std::string("bpm-01"), std::string(63, 'x')})
        CHECK(name_problem(good).empty());
    const std::string bad[] = {"",   ".",   "..",  "a/b", "../x", std::string(64, 'x'),   "Bpm", "1a", "-a",
                               "a-", "a b", "a\n", "a_b", "a.b",  std::string("a\0b", 3), "é"};
    for (const auto& name : bad) CHECK_FALSE(name_problem(name).empty());
}

TEST_CASE("ranges expand in order, with leading zeros kept") {
    CHECK(expand_range("bpm[08-11]") == Names{"bpm08", "bpm09", "bpm10", "bpm11"});
    CHECK(expand_range("a[1-2]b[1-2]") == Names{"a1b1", "a1b2", "a2b1", "a2b2"});
    CHECK(expand_range("plain") == Names{"plain"});
    CHECK(expand_range("x[5-5]y") == Names{"x5y"});
}

TEST_CASE("malformed ranges are refused") {
    for (const char* bad : {"a[", "a]", "a[1-", "a[1]", "a[]", "a[2-1]", "a[x-y]", "a[1-2-3]", "a[[1-2]]",
                            "a[0-999999999]", "a[1-99999999999999999999]", "a[1-200]b[1-200]", "a[-1-2]"})
        CHECK_THROWS_AS(expand_range(bad), Error);
}

TEST_CASE("the near word is found, a far one is not") {
    CHECK(nearest("memroy", {"cpus", "memory"}) == "memory");
    CHECK(nearest("stcmd", {"st-cmd", "db"}) == "st-cmd");
    CHECK(nearest("zzz", {"cpus", "memory"}).empty());
    CHECK(nearest("x", {"y"}).empty());
}
