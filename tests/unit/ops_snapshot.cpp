#include "clara/base/error.hpp"
#include "clara/ops/lxc_config.hpp"
#include "clara/ops/rollback.hpp"
#include "clara/ops/snapshot.hpp"
#include "facts_yaml.hpp"
#include "golden.hpp"
#include "planning.hpp"

using namespace clara;
using Catch::Matchers::Contains;

namespace {

const std::string world = R"(
guests:
  idle: {}
  live: {state: running}
  rising: {state: starting}
  ending: {state: stopping}
  killed: {state: leftover}
  abroad: {lease: host-b}
bridges: [clarabr0]
images: {minimal: 0123456789abcdef}
)";

SnapshotFact snapshot(const std::string& name, const std::string& time) {
    return {.info = {.name = name, .time = time, .state = "running"}, .exclusive = 1 << 20};
}

GuestSpec spec(const std::string& name) {
    GuestSpec spec;
    spec.name = name;
    spec.pool = "/var/lib/clara";
    spec.image = "minimal@0123456789ab";
    spec.nic.network = "controls";
    spec.nic.bridge = "clarabr0";
    spec.nic.subnet = *Subnet::parse("10.87.0.11/24");
    spec.nic.mac = *Mac::parse("02:c1:a7:00:00:01");
    return spec;
}

/// Each guest has a disk of 300 KiB and three snapshots; the address book knows spec()'s address.
Facts facts() {
    Facts facts = facts_from_yaml(world);
    for (auto& entry : facts.book) {
        entry.address = spec("any").nic.subnet.address;
        entry.mac = spec("any").nic.mac;
    }
    for (const auto& [name, guest] : facts.guests)
        facts.disks[name] = {
            {snapshot("monday", "2026-11-16T08:00:00Z"), snapshot("tuesday", "2026-11-17T08:00:00Z"),
             snapshot("wednesday", "2026-11-18T08:00:00Z")},
            300 << 10,
            false};
    return facts;
}

template <class Planner>
std::string all_states(Planner plan) {
    const Facts known = facts();
    std::string text;
    for (const char* name : {"idle", "live", "rising", "ending", "killed", "abroad", "lvie"}) {
        try {
            text += print(plan(name, known));
        } catch (const Error& e) {
            text += std::string(name) + " " + to_string(e.kind()) + ": " + e.what() + " (" + e.hint() + ")\n";
        }
    }
    return text;
}

Plan create(const std::string& name, const Facts& known, const SnapshotOptions& options = {}) {
    return plan_snapshot(name, "/var/lib/clara", {}, known, options, clock_at_noon());
}

Plan back(const std::string& name, const Facts& known, const RollbackOptions& options = {}) {
    return plan_rollback(name, "/var/lib/clara", known_snapshot(name, "tuesday", known), spec(name),
                         spec(name), {}, known, options, clock_at_noon());
}

}  // namespace

TEST_CASE("a snapshot, for each state") {
    check_golden("snapshot/create.txt",
                 all_states([](const char* name, const Facts& known) { return create(name, known); }));
}

TEST_CASE("a snapshot that others make room for, for each state") {
    check_golden("snapshot/create-keep.txt", all_states([](const char* name, const Facts& known) {
                     return create(name, known, {.as = "now", .newest = 2});
                 }));
}

TEST_CASE("a rollback, for each state") {
    check_golden("snapshot/rollback.txt",
                 all_states([](const char* name, const Facts& known) { return back(name, known); }));
}

TEST_CASE("a rollback with a start, for each state") {
    check_golden("snapshot/rollback-start.txt", all_states([](const char* name, const Facts& known) {
                     return back(name, known, {.start = true});
                 }));
}

TEST_CASE("what a snapshot says of itself is chosen while planning") {
    const Plan plan = create("live", facts(), {.comment = "why", .who = "alice", .keep = true});
    const auto& make = std::get<MakeSnapshot>(plan.actions.at(0));
    CHECK(make.info.name == "at-20261123-000000");
    CHECK(make.info.time == "2026-11-23T00:00:00Z");
    CHECK(make.info.comment == "why");
    CHECK(make.info.who == "alice");
    CHECK(make.info.state == "running");
    CHECK(make.info.keep);
    CHECK(make.mount == "/run/clara/guests/live/disk");
    CHECK(std::get<MakeSnapshot>(create("idle", facts()).actions.at(0)).mount.empty());
}

TEST_CASE("a second snapshot within a second has another name") {
    Facts known = facts();
    known.disks["idle"].snapshots.push_back(snapshot("at-20261123-000000", "2026-11-23T00:00:00Z"));
    CHECK(create("idle", known).note == "at-20261123-000000-2");
}

TEST_CASE("a snapshot is refused before anything is touched") {
    Facts known = facts();
    SECTION("without room") {
        known.pool_free = 1 << 20;
        auto error = refusal([&] { create("idle", known); });
        CHECK(error.kind() == ErrorKind::refused);
        CHECK_THAT(error.what(), Contains("the pool has 1.0 MiB free"));
        known.disks["idle"].shares = true;  // it costs nothing there
        CHECK_NOTHROW(create("idle", known));
    }
    SECTION("with a name that is taken, or none") {
        CHECK(refusal([&] { create("idle", known, {.as = "monday"}); }).kind() == ErrorKind::refused);
        CHECK(refusal([&] { create("idle", known, {.as = "../x"}); }).kind() == ErrorKind::usage);
        CHECK(refusal([&] { create("idle", known, {.as = "before-rollback"}); }).kind() == ErrorKind::usage);
    }
    SECTION("with a comment of two lines") {
        CHECK(refusal([&] { create("idle", known, {.comment = "a\nb"}); }).kind() == ErrorKind::usage);
    }
    SECTION("when there are too many") {
        auto& list = known.disks["idle"].snapshots;
        while (list.size() < most_snapshots)
            list.push_back(snapshot("s" + std::to_string(list.size()), "2026-11-19T08:00:00Z"));
        CHECK_THAT(refusal([&] { create("idle", known); }).what(), Contains("it has 256 snapshots"));
        CHECK_NOTHROW(create("idle", known, {.newest = 256}));
    }
    SECTION("with the memory of a container") {
        CHECK_THAT(refusal([&] { create("live", known, {.memory = true}); }).what(),
                   Contains("it is a container"));
    }
}

TEST_CASE("what is surplus: the oldest, but nothing protected, damaged, or kept by a rollback") {
    std::vector<SnapshotFact> list{snapshot("a", "1"), snapshot("before-rollback", "2"),
                                   snapshot("b", "3"), snapshot("c", "4"),
                                   snapshot("d", "5"), snapshot("e", "6")};
    list[2].info.keep = true;
    list[3].problem = "damaged";
    using Names = std::vector<std::string>;
    CHECK(surplus(list, 3) == Names{});
    CHECK(surplus(list, 2) == Names{"a"});
    CHECK(surplus(list, 1) == Names{"a", "d"});
    CHECK(surplus(list, 100) == Names{});
}

TEST_CASE("a snapshot is found by its name, or as the newest of people's own") {
    Facts known = facts();
    CHECK(known_snapshot("idle", "", known).info.name == "wednesday");
    known.disks["idle"].snapshots.push_back(snapshot("before-rollback", "2026-11-20T08:00:00Z"));
    CHECK(known_snapshot("idle", "", known).info.name == "wednesday");
    CHECK(known_snapshot("idle", "before-rollback", known).info.name == "before-rollback");
    CHECK_THAT(refusal([&] { known_snapshot("idle", "thuesday", known); }).hint(),
               Contains("did you mean 'tuesday'?"));
    known.disks["idle"].snapshots[1].problem = "disk.raw is missing";
    CHECK(refusal([&] { known_snapshot("idle", "tuesday", known); }).kind() == ErrorKind::refused);
    known.disks["idle"].snapshots.clear();
    CHECK_THAT(refusal([&] { known_snapshot("idle", "", known); }).what(), Contains("it has no snapshot"));
}

TEST_CASE("deleting takes several, one that is damaged too, and none that is unknown") {
    Facts known = facts();
    known.disks["idle"].snapshots[1].problem = "disk.raw is missing";
    CHECK(print(plan_snapshot_delete("idle", "/p", {"monday", "tuesday"}, {}, known)) ==
          "snapshot delete idle: monday, tuesday\n"
          "   1. Delete snapshot monday of idle\n"
          "   2. Delete snapshot tuesday of idle\n");
    CHECK(refusal([&] {
              plan_snapshot_delete("idle", "/p", {"monday", "sunday"}, {}, known);
          }).kind() == ErrorKind::usage);
}

TEST_CASE("a rollback is refused before anything is touched") {
    Facts known = facts();
    SECTION("where the address has become another") {
        for (auto& entry : known.book) entry.address = *Ipv4::parse("10.87.0.99");
        CHECK_THAT(refusal([&] { back("live", known); }).what(), Contains("its address is 10.87.0.11"));
    }
    SECTION("where its image is gone, and it is to be started") {
        known.images.clear();
        CHECK_THAT(refusal([&] { back("live", known); }).what(),
                   Contains("image minimal@0123456789ab is missing"));
        CHECK_NOTHROW(back("idle", known));
    }
    SECTION("without room") {
        known.pool_free = 1 << 20;
        CHECK_THAT(refusal([&] { back("idle", known); }).what(), Contains("the pool has 1.0 MiB free"));
    }
}

TEST_CASE("a rollback to another guest.yaml defines the guest anew, and back on a failure") {
    const Facts known = facts();
    GuestSpec then = spec("live"), now = spec("live");
    now.memory = 1 << 28;
    const Plan plan = plan_rollback("live", "/var/lib/clara", known_snapshot("live", "", known), then, now,
                                    {}, known, {}, clock_at_noon());
    int defined = 0;
    for (const auto& action : plan.actions)
        if (const auto* define = std::get_if<DefineGuest>(&action)) {
            ++defined;
            CHECK(define->config == lxc_config(then, {}, known));
            CHECK(define->before == lxc_config(now, {}, known));
        }
    CHECK(defined == 1);
}

TEST_CASE("what a rollback has kept goes when the guest has come up again") {
    Facts known = facts();
    known.disks["idle"].snapshots.push_back(snapshot("before-rollback", "2026-11-20T08:00:00Z"));
    CHECK(print(plan_start(spec("idle"), {}, known, {})).find("Delete snapshot before-rollback of idle") !=
          std::string::npos);
    // Nobody looks whether it came up.
    CHECK(print(plan_start(spec("idle"), {}, known, {.prove = false})).find("Delete") == std::string::npos);
    const std::string text = print(back("idle", known, {.start = true}));
    CHECK(text.find("kept as snapshot before-rollback-2") != std::string::npos);
    CHECK(text.find("Delete snapshot before-rollback of idle") != std::string::npos);
    CHECK(text.find("Delete snapshot before-rollback-2 of idle") != std::string::npos);
}

TEST_CASE("a destroy says how many snapshots go with the guest") {
    Facts known = facts();
    CHECK(plan_destroy("idle", "/p", {}, known, {}).note == "with 3 snapshots");
    known.disks["idle"].snapshots.resize(1);
    CHECK(plan_destroy("idle", "/p", {}, known, {}).note == "with 1 snapshot");
    known.disks.clear();
    CHECK(plan_destroy("idle", "/p", {}, known, {}).note.empty());
}
