// Snapshots and rollbacks through the Executor: what a failure or a signal at each action leaves.
#include <sys/wait.h>
#include <unistd.h>

#include "catch.hpp"
#include "clara/base/interrupt.hpp"
#include "clara/ops/rollback.hpp"
#include "clara/ops/snapshot.hpp"
#include "clara/plan/executor.hpp"
#include "create_world.hpp"
#include "fakes/guests.hpp"
#include "fakes/network.hpp"
#include "fakes/points.hpp"
#include "fakes/probe.hpp"
#include "fakes/storage.hpp"
#include "temp_dir.hpp"

using namespace clara;

namespace {

/// The guest magnets, running or not, with "one" on its disk when snapshot first was taken, and "two" now.
struct World : CreateWorld {
    TempDir pool;
    FakeStorage storage;
    FakeGuests guests;
    FakeNetwork network;
    FakeProbe probe;
    FakePoints points{storage};
    Drivers drivers{storage, guests, network, probe, points};
    bool runs = true;

    explicit World(bool running = true) : runs(running) {
        options.start = running;
        network.bridges["clarabr0"] = site.networks[0].subnet;
        probe.answers["magnets"] = {22, 7001, 5064};
        REQUIRE(run(plan(item("magnets", pool.path()))).ok);
        write("one");
        REQUIRE(run(snapshot({.as = "first"})).ok);
        write("two");
    }
    FakeStorage::Pool& stored() { return storage.pools[pool.path()]; }
    FakeStorage::Guest& guest() { return stored().guests.at("magnets"); }
    void write(const std::string& text) { guest().files["/mark"] = {"/mark", "", text}; }
    std::string mark() { return guest().files.at("/mark").content; }
    std::string snapshots() {
        std::string names;
        for (const auto& [name, snapshot] : stored().snapshots["magnets"]) names += name + " ";
        return names;
    }
    std::string left() {
        std::string names;
        for (const auto& [name, snapshot] : stored().partial_snapshots["magnets"]) names += name + " ";
        return names;
    }
    bool up() { return guests.up.count("magnets"); }

    Outcome run(const Plan& plan) { return execute({plan}, drivers, {}).outcomes.at(0); }
    Facts known() {
        Facts told = facts_from_yaml(
            "{guests: {magnets: {}}, bridges: [clarabr0], images: {minimal: 0123456789abcdef}}");
        if (runs) told.guests["magnets"].state = GuestState::running;
        told.book = stored().book;
        for (const auto& [name, one] : stored().snapshots["magnets"])
            told.disks["magnets"].snapshots.push_back({one.info});
        return told;
    }
    Plan snapshot(const SnapshotOptions& how) {
        Plan plan = plan_snapshot("magnets", pool.path(), site, known(), how, system_clock());
        // The twin of storage does not know of the twin of containers.
        std::get<MakeSnapshot>(plan.actions[0]).mount.clear();
        return plan;
    }
    Plan back(const RollbackOptions& how = {}) {
        const Facts told = known();
        const GuestSpec spec = *guest().spec;
        return plan_rollback("magnets", pool.path(), known_snapshot("magnets", "first", told), spec, spec,
                             site, told, how, system_clock());
    }
};

/// CLARA_TEST_STOP_AT for as long as it lives.
struct StopAt {
    explicit StopAt(const std::string& what) { ::setenv("CLARA_TEST_STOP_AT", what.c_str(), 1); }
    ~StopAt() { ::unsetenv("CLARA_TEST_STOP_AT"); }
};

/// In a child, because the flag of a signal stays. The child's exit status.
template <class Work>
int in_child(Work work) {
    pid_t child = ::fork();
    if (child == 0) {
        catch_interrupts();
        ::_exit(work());
    }
    int status = 0;
    ::waitpid(child, &status, 0);
    return WIFEXITED(status) ? WEXITSTATUS(status) : -1;
}

}  // namespace

TEST_CASE("a rollback brings the guest back as it was, running, and drops what it replaced") {
    World world;
    const Outcome outcome = world.run(world.back());
    CHECK(outcome.ok);
    CHECK(outcome.note == "to first: ssh 1 ms, procServ 2 ms, CA 3 ms");
    CHECK(world.mark() == "one");
    CHECK(world.up());
    CHECK(world.snapshots() == "first ");
    CHECK(world.left().empty());
}

TEST_CASE("a rollback of a guest that does not run keeps what it replaced") {
    World world(false);
    REQUIRE(world.run(world.back()).ok);
    CHECK(world.mark() == "one");
    CHECK_FALSE(world.up());
    CHECK(world.snapshots() == "before-rollback first ");
    CHECK(world.run(world.back({.start = true})).ok);
    CHECK(world.up());
    CHECK(world.snapshots() == "first ");
}

TEST_CASE("a rollback whose guest does not come up, or does not start, puts all back") {
    World world;
    SECTION("its ports do not answer") {
        world.probe.answers.clear();
        const Outcome outcome = world.run(world.back());
        CHECK(outcome.kind == ErrorKind::failed);
        CHECK(outcome.message.find("did not answer") != std::string::npos);
        CHECK(world.up());
    }
    SECTION("it does not start, and neither does it with its own disk") {
        world.guests.broken = {"magnets"};
        CHECK(world.run(world.back()).kind == ErrorKind::undo_incomplete);
    }
    SECTION("the snapshot is damaged: it is not even stopped") {
        world.stored().snapshots["magnets"].at("first").guest->files["/damaged"] = {};
        CHECK(world.run(world.back()).kind == ErrorKind::failed);
        CHECK(world.up());
    }
    CHECK(world.mark() == "two");
    CHECK(world.snapshots() == "first ");
    CHECK(world.left().empty());
}

TEST_CASE("a rollback that fails or is interrupted before any of its actions is undone, up to the last one") {
    const std::size_t actions = World().back().actions.size();
    for (auto [how, kind] : {std::pair{"FAIL", 1}, {"INT", 130}, {"TERM", 143}})
        for (std::size_t step = 0; step < actions; ++step) {
            INFO(how << " at step " << step);
            CHECK(in_child([&, how = how] {
                      World world;
                      StopAt stop(std::to_string(step) + ":" + how);
                      const Outcome outcome = world.run(world.back());
                      const bool as_before = world.mark() == "two" && world.up() &&
                                             world.snapshots() == "first " && world.left().empty();
                      return as_before ? static_cast<int>(outcome.kind) : 99;
                  }) == kind);
        }
}

TEST_CASE("a snapshot that fails or is interrupted leaves nothing, once it is published it stays") {
    for (auto [how, kind] : {std::pair{"FAIL", 1}, {"INT", 130}, {"TERM", 143}})
        for (std::size_t step = 0; step <= 2; ++step) {
            INFO(how << " at step " << step);
            CHECK(in_child([&, how = how] {
                      World world;
                      StopAt stop(std::to_string(step) + ":" + how);
                      const Outcome outcome = world.run(world.snapshot({.as = "second"}));
                      return world.snapshots() == "first " && world.left().empty()
                                 ? static_cast<int>(outcome.kind)
                                 : 99;
                  }) == kind);
        }
}

TEST_CASE("a damaged disk gives no snapshot") {
    World world;
    world.guest().files["/damaged"] = {};
    CHECK(world.run(world.snapshot({.as = "second"})).kind == ErrorKind::failed);
    CHECK(world.snapshots() == "first ");
    CHECK(world.left().empty());
}

TEST_CASE("old snapshots go after the new one is there, and their removal is finished") {
    World world;
    REQUIRE(world.run(world.snapshot({.as = "second"})).ok);
    REQUIRE(world.run(world.snapshot({.as = "third", .newest = 1})).ok);
    CHECK(world.snapshots() == "third ");

    struct Stuck : FakeStorage {
        void remove_snapshot(const RemoveSnapshot&) override {
            throw Error(ErrorKind::failed, "it is stuck");
        }
    };
    World other;
    Stuck stuck;
    stuck.pools = other.storage.pools;
    Drivers drivers{stuck, other.guests, other.network, other.probe, other.points};
    const Outcome outcome =
        execute({other.snapshot({.as = "second", .newest = 1})}, drivers, {}).outcomes.at(0);
    CHECK(outcome.kind == ErrorKind::undo_incomplete);
    CHECK(outcome.hint.find("clara-snapshot delete") != std::string::npos);
    CHECK(stuck.pools[other.pool.path()].snapshots["magnets"].count("second"));
}
