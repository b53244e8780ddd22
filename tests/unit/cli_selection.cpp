#include "catch.hpp"
#include "clara/base/error.hpp"
#include "clara/cli/selection.hpp"

using namespace clara;
using Catch::Matchers::Contains;

namespace {

using Names = std::vector<std::string>;

/// Guests by name, each with its tags.
std::map<std::string, GuestFact> guests(const std::map<std::string, Names>& tags) {
    std::map<std::string, GuestFact> known;
    for (const auto& [name, words] : tags) known[name] = {.name = name, .tags = words};
    return known;
}

const auto ring = guests({{"bpm01", {"injection", "night"}}, {"bpm02", {"night"}}, {"gw", {}}});

/// Of the Error{usage}: message and hint.
std::string refusal(const Selection& selection, const std::map<std::string, GuestFact>& known = ring) {
    try {
        selected(selection, known);
    } catch (const Error& e) {
        CHECK(e.kind() == ErrorKind::usage);
        return e.message() + " / " + e.hint();
    }
    return "no error";
}

}  // namespace

TEST_CASE("names come in the order given, ranges expanded, each once") {
    CHECK(selected({{"z", "bpm[01-02]", "bpm01"}}, {}) == Names{"z", "bpm01", "bpm02"});
}

TEST_CASE("--all is all guests known") {
    CHECK(selected({.all = true}, ring) == Names{"bpm01", "bpm02", "gw"});
    CHECK(selected({.all = true}, {}).empty());
}

TEST_CASE("--tag is all guests that have any of the tags, each once") {
    CHECK(selected({.tags = {"injection"}}, ring) == Names{"bpm01"});
    CHECK(selected({.tags = {"injection", "night"}}, ring) == Names{"bpm01", "bpm02"});
    auto damaged = ring;
    damaged["gw"].problem = "guest.yaml:1:1: unknown key";
    CHECK(selected({.tags = {"night"}}, damaged) == Names{"bpm01", "bpm02"});
}

TEST_CASE("a tag that no guest has is refused, beside one that some have too") {
    CHECK(refusal({.tags = {"nigth"}}) == "no guest has the tag 'nigth' / did you mean 'night'?");
    CHECK(refusal({.tags = {"night", "linac"}}) == "no guest has the tag 'linac' / known: injection, night");
    CHECK_THAT(refusal({.tags = {"night"}}, guests({{"gw", {}}})), Contains("guest.yaml"));
    CHECK_THAT(refusal({.tags = {""}}), Contains("no guest has the tag ''"));
}

TEST_CASE("NAME, --all and --tag exclude each other, and one of them is required") {
    CHECK_THAT(refusal({{"gw"}, true, {}}), Contains("NAME and --all exclude each other"));
    CHECK_THAT(refusal({{"gw"}, false, {"night"}}), Contains("NAME and --tag exclude each other"));
    CHECK_THAT(refusal({{}, true, {"night"}}), Contains("--tag and --all exclude each other"));
    CHECK_THAT(refusal({{"gw"}, true, {"night"}}), Contains("exclude each other"));
    CHECK_THAT(refusal({}), Contains("NAME, --all or --tag is required"));
}

TEST_CASE("a list is of all guests where nothing is given") {
    CHECK(listed({}, ring) == Names{"bpm01", "bpm02", "gw"});
    CHECK(listed({.tags = {"injection"}}, ring) == Names{"bpm01"});
    CHECK(listed({{"gw"}}, ring) == Names{"gw"});
    CHECK_THROWS_AS(listed({{"gw"}, false, {"night"}}, ring), Error);
}
