// Which restore points go to a second store, and what they stand on there.
#include <fmt/format.h>

#include "catch.hpp"
#include "clara/base/clock.hpp"
#include "clara/ops/backup.hpp"
#include "clara/ops/copy.hpp"
#include "planning.hpp"

using namespace clara;

namespace {

const auto now = *parse_iso8601("2026-11-29T12:00:00Z");

/// Of that day of November, standing on the one of another day.
Point point(unsigned day, unsigned parent = 0) {
    Point made;
    made.info.guest = "bpm01";
    made.info.time = fmt::format("2026-11-{:02}T03:00:00Z", day);
    made.info.name = point_name(made.info.time);
    made.info.number = day;
    made.info.born = "2026-01-01T00:00:00Z";
    if (parent) made.info.parent = point_name(fmt::format("2026-11-{:02}T03:00:00Z", parent));
    made.info.disks = {{.file = "disk.qcow2", .content = fmt::format("content of {}", day)}};
    made.state.verified = made.info.time;
    made.stored = 1 << 20;
    return made;
}

struct World {
    CopyFacts facts{"/nas", "/offsite", {point(1), point(2, 1), point(3, 2)}, {}, {}, std::uint64_t{1} << 40};
    CopyOptions options{.keep = {.last = 10}};

    Plan plan() const { return plan_copy("bpm01", facts, options, now); }
    /// "01 on 00" of each copy, "-01" of each removal
    std::vector<std::string> steps() const {
        std::vector<std::string> texts;
        for (const auto& action : plan().actions) {
            if (const auto* copy = std::get_if<CopyPoint>(&action))
                texts.push_back(copy->point.substr(6, 2) + " on " +
                                (copy->base.empty() ? "nothing" : copy->base.substr(6, 2)));
            if (const auto* remove = std::get_if<RemovePoint>(&action))
                texts.push_back("-" + remove->point.substr(6, 2));
            if (const auto* image = std::get_if<CopyImage>(&action)) texts.push_back(image->image);
        }
        return texts;
    }
};
using Texts = std::vector<std::string>;

}  // namespace

TEST_CASE("the oldest goes first, and each stands on what is there by then") {
    World w;
    CHECK(w.steps() == Texts{"01 on nothing", "02 on 01", "03 on 02"});
    w.facts.target = {point(1), point(2, 1)};
    CHECK(w.steps() == Texts{"03 on 02"});
    w.facts.target.push_back(point(3, 2));
    CHECK(w.plan().empty());
}

TEST_CASE("what the target's rule would not keep is not sent, and removed where it is there") {
    World w;
    w.options.keep = {.last = 1};
    CHECK(w.steps() == Texts{"03 on nothing"});
    w.facts.target = {point(1)};
    CHECK(w.steps() == Texts{"03 on 01", "-01"});
    w.options.prune = false;
    CHECK(w.steps() == Texts{"03 on 01"});
}

TEST_CASE("what the source has rotated away stays at the target by the target's own rule") {
    World w;
    w.facts.target = {point(1), point(2, 1)};
    w.facts.source = {point(3, 2)};
    w.facts.source[0].info.parent.clear();
    CHECK(w.steps() == Texts{"03 on nothing"});
}

TEST_CASE("only proven points go") {
    World w;
    w.facts.source[0].state.verified.clear();
    w.facts.source[2].state.quarantine = {"noise"};
    CHECK(w.steps() == Texts{"02 on nothing"});
    w.facts.source[1].state.damage = {"a flipped byte"};
    CHECK(w.plan().empty());
}

TEST_CASE("nothing stands on what is damaged or other at the target, or on too long a chain") {
    World w;
    w.facts.target = {point(1), point(2, 1)};
    w.facts.target[1].state.damage = {"a flipped byte"};
    CHECK(w.steps() == Texts{"03 on 01"});
    w.facts.target[1].state.damage.clear();
    w.facts.target[0].state.damage = {"a flipped byte"};
    CHECK(w.steps() == Texts{"03 on nothing"});
    w = {};
    w.facts.source.clear();
    w.facts.target.clear();
    for (unsigned i = 1; i <= longest_chain; ++i) {
        Point one = point(1);
        one.info.number = i;
        one.info.time = iso8601(now - std::chrono::hours(200 - i));
        one.info.name = point_name(one.info.time);
        one.info.parent = i == 1 ? "" : w.facts.target.back().info.name;
        w.facts.source.push_back(one);
        w.facts.target.push_back(one);
    }
    w.options.keep = {.last = 100};
    w.facts.source.push_back(point(29));
    w.facts.source.back().info.number = longest_chain + 1;
    w.facts.source.back().info.parent = w.facts.target.back().info.name;
    // On the last but one, so that one more does not make the chain too long; what is between comes along.
    const Plan plan = w.plan();
    REQUIRE(plan.actions.size() == 1);
    CHECK(std::get<CopyPoint>(plan.actions[0]).base == w.facts.target[longest_chain - 2].info.name);
}

TEST_CASE("the image of a container goes before its first point, once") {
    World w;
    for (auto& one : w.facts.source) one.info.image = "ioc@0123456789ab";
    CHECK(w.steps() == Texts{"ioc@0123456789ab", "01 on nothing", "02 on 01", "03 on 02"});
    w.facts.images = {"ioc@0123456789ab"};
    CHECK(w.steps() == Texts{"01 on nothing", "02 on 01", "03 on 02"});
}

TEST_CASE("points of a store that has begun anew come behind those of the old one") {
    World w;
    w.facts.target = {point(10), point(11)};
    w.facts.source = {point(20), point(21, 20)};
    w.facts.source[0].info.number = 1;
    w.facts.source[1].info.number = 2;
    const Plan plan = w.plan();
    REQUIRE(plan.actions.size() == 2);
    CHECK(std::get<CopyPoint>(plan.actions[0]).number == 12);
    CHECK(std::get<CopyPoint>(plan.actions[1]).number == 13);
}

TEST_CASE("another guest's points of that name, and no room, are refused") {
    World w;
    w.facts.target = {point(2)};
    w.facts.target[0].info.born = "2025-01-01T00:00:00Z";
    CHECK(refusal([&] { w.plan(); }).kind() == ErrorKind::refused);
    w.facts.target.clear();
    w.facts.room = 10 << 20;
    CHECK(refusal([&] { w.plan(); }).message().find("free") != std::string::npos);
}

TEST_CASE("what is held is neither removed nor counted") {
    World w;
    w.options.keep = {.last = 1};
    w.facts.target = {point(1), point(2, 1)};
    w.facts.target[0].state.holders = {"ioc1:/var/lib/clara/guests/bpm01"};
    CHECK(w.steps() == Texts{"03 on 02", "-02"});
}
