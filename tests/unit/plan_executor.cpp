#include <sys/wait.h>
#include <unistd.h>

#include <nlohmann/json.hpp>
#include <sstream>

#include "catch.hpp"
#include "clara/base/files.hpp"
#include "clara/base/interrupt.hpp"
#include "clara/base/lock.hpp"
#include "clara/ops/lifecycle.hpp"
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

struct World : CreateWorld {
    TempDir pool;  // real, for locks, journal and audit log
    FakeStorage storage;
    FakeGuests guests;
    FakeNetwork network;
    FakeProbe probe;
    FakePoints points{storage};
    Drivers drivers{storage, guests, network, probe, points};

    World() {
        options.start = true;
        network.bridges["clarabr0"] = site.networks[0].subnet;
        probe.answers["magnets"] = {22, 7001, 5064};
    }
    Plan create(const std::string& name = "magnets") { return plan(item(name, pool.path())); }
    FakeStorage::Pool& stored() { return storage.pools[pool.path()]; }
    Outcome run(const Plan& plan, const ExecutorOptions& how = {}) {
        return execute({plan}, drivers, how).outcomes.at(0);
    }
    bool untouched() {
        return stored().guests.empty() && stored().partial.empty() && stored().book.empty() &&
               guests.configs.empty() && guests.up.empty();
    }
    /// The guest as a create and a start leave it.
    void have_magnets() { REQUIRE(run(create()).ok); }
    Plan verb(Plan (*planner)(const GuestSpec&, const Site&, const Facts&, const LifecycleOptions&)) {
        return planner(*stored().guests.at("magnets").spec, site, running_facts(), {});
    }
    Plan destroy() { return plan_destroy("magnets", pool.path(), site, running_facts(), {.force = true}); }
    Facts running_facts() {
        return facts_from_yaml(
            "{guests: {magnets: {state: running}}, bridges: [clarabr0], images: {minimal: "
            "0123456789abcdef}}");
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

TEST_CASE("a create makes a guest that runs and answers, and its dry run said so") {
    World world;
    const Plan plan = world.create();
    const Outcome outcome = world.run(plan, {.reason = "a test"});
    CHECK(outcome.ok);
    CHECK(outcome.changed);
    CHECK(outcome.note == "10.87.0.11: ssh 1 ms, procServ 2 ms, CA 3 ms");
    CHECK(world.stored().guests.count("magnets"));
    CHECK(world.guests.up.count("magnets"));

    // The journal's lines are the dry run's. The fake keeps no folder: the guest's is made for a second run.
    make_dirs(world.pool / "guests/magnets");
    world.run(world.destroy());
    World again;
    make_dirs(again.pool / "guests/magnets");
    const Plan second = again.create();
    REQUIRE(again.run(second).ok);
    std::istringstream journal(read_file(again.pool / "guests/magnets/journal").value_or(""));
    std::string told = "create magnets: 10.87.0.11\n";
    int number = 0;
    for (std::string line; std::getline(journal, line);)
        told += fmt::format("  {:2}. {}\n", ++number,
                            nlohmann::json::parse(line).at("action").get<std::string>());
    CHECK(told == print(second));

    const std::string log = read_file(world.pool / "audit.log").value_or("");
    CHECK(log.find("\"reason\":\"a test\"") != std::string::npos);
    CHECK(log.find("\"result\":\"done\"") != std::string::npos);
}

TEST_CASE("a create that fails before any of its actions leaves nothing") {
    const std::size_t actions = World().create().actions.size();
    for (std::size_t step = 0; step <= actions; ++step) {
        World world;
        StopAt stop(std::to_string(step) + ":FAIL");
        const Outcome outcome = world.run(world.create());
        INFO("step " << step << ": " << outcome.message);
        CHECK_FALSE(outcome.ok);
        CHECK(outcome.kind == ErrorKind::failed);
        CHECK(world.untouched());
    }
}

TEST_CASE("a create that is interrupted before any of its actions leaves nothing") {
    const std::size_t actions = World().create().actions.size();
    for (auto [how, kind] : {std::pair{"INT", 130}, {"TERM", 143}})
        for (std::size_t step = 0; step <= actions; ++step) {
            INFO(how << " at step " << step);
            CHECK(in_child([&, how = how] {
                      World world;
                      StopAt stop(std::to_string(step) + ":" + how);
                      const Outcome outcome = world.run(world.create());
                      return world.untouched() ? static_cast<int>(outcome.kind) : 99;
                  }) == kind);
        }
}

TEST_CASE("errors that are not ours are undone as well") {
    struct NoMemory : FakeNetwork {
        bool ensure_bridge(const EnsureBridge&) override { throw std::bad_alloc(); }
    } network;
    World world;
    Drivers drivers{world.storage, world.guests, network, world.probe, world.points};
    Plan plan = world.create();
    plan.actions.push_back(EnsureBridge{"clarabr0", {}});
    const Outcome outcome = execute({plan}, drivers, {}).outcomes.at(0);
    CHECK(outcome.kind == ErrorKind::failed);
    CHECK(outcome.message.find("bad_alloc") != std::string::npos);
    CHECK(world.untouched());
}

TEST_CASE("an undo that fails needs a person, and does not keep the others from being done") {
    struct Stuck : FakeGuests {
        void stop(const StopGuest&) override { throw Error(ErrorKind::failed, "it does not stop"); }
    } guests;
    World world;
    world.probe.answers.clear();
    Drivers drivers{world.storage, guests, world.network, world.probe, world.points};
    const Report report = execute({world.create()}, drivers, {});
    CHECK(report.exit_code() == 6);
    CHECK(report.outcomes[0].message.find("did not answer") != std::string::npos);
    CHECK(report.outcomes[0].message.find("it does not stop") != std::string::npos);
    CHECK(report.outcomes[0].unproven);
    CHECK(world.stored().book.empty());
}

TEST_CASE("an address that was taken meanwhile is told as stale facts, with nothing left") {
    World world;
    const Plan plan = world.create();
    world.stored().book.push_back({"rival", "controls", *Ipv4::parse("10.87.0.11"), {}});
    const Outcome outcome = world.run(plan);
    CHECK(outcome.stale);
    CHECK(outcome.kind == ErrorKind::busy);
    CHECK(world.stored().book.size() == 1);
    CHECK(world.stored().partial.empty());
}

TEST_CASE("one guest's failure does not stop the others") {
    World world;
    std::vector<Plan> plans;
    Allocator allocator(world.facts);
    for (const char* name : {"a", "b", "c", "d"}) {
        world.probe.answers[name] = {22, 7001, 5064};
        plans.push_back(plan_create(world.item(name, world.pool.path()), world.site, world.facts, allocator,
                                    world.options, system_clock(), system_random()));
    }
    world.guests.broken = {"b"};
    const Report report = execute(plans, world.drivers, {});
    CHECK(report.exit_code() == 3);
    CHECK(report.summary() == "failed for 1 of 4");
    CHECK(world.guests.up == std::set<std::string>{"a", "c", "d"});
    CHECK(world.stored().book.size() == 3);
}

TEST_CASE("who works on a guest is named to whom comes second") {
    World world;
    make_dirs(world.pool / "locks");
    auto lock = NamedLock::take(world.pool / "locks/magnets", "stop magnets", {});
    const Outcome outcome = world.run(world.create());
    CHECK(outcome.kind == ErrorKind::busy);
    CHECK(outcome.message.find("stop magnets, pid") != std::string::npos);
    CHECK(world.untouched());
}

TEST_CASE("a restart whose IOC does not answer leaves the guest running") {
    World world;
    world.have_magnets();
    world.probe.answers.clear();
    const Outcome outcome = world.run(world.verb(plan_restart));
    CHECK(outcome.kind == ErrorKind::failed);
    CHECK(world.guests.up.count("magnets"));
}

TEST_CASE("a guest that does not start again after its stop needs a person") {
    World world;
    world.have_magnets();
    world.guests.broken = {"magnets"};
    CHECK(world.run(world.verb(plan_restart)).kind == ErrorKind::undo_incomplete);
}

TEST_CASE("a destroy is undone up to the deletion, and finished after it") {
    for (std::size_t step = 0; step <= 4; ++step) {
        INFO("step " << step);
        CHECK(in_child([&] {
                  World world;
                  if (!world.run(world.create()).ok) return 99;
                  StopAt stop(std::to_string(step) + ":INT");
                  const Outcome outcome = world.run(world.destroy());
                  if (outcome.ok) return world.untouched() ? 0 : 98;
                  return world.guests.up.count("magnets") && world.stored().guests.count("magnets")
                             ? static_cast<int>(outcome.kind)
                             : 97;
              }) == (step < 2 ? 130 : 0));
    }
    World world;
    world.have_magnets();
    StopAt stop("2:FAIL");
    const Outcome outcome = world.run(world.destroy());
    CHECK(outcome.kind == ErrorKind::undo_incomplete);
    CHECK(outcome.hint.find("clara-destroy") != std::string::npos);
}

TEST_CASE("a plan without actions is nothing to do and takes no lock") {
    World world;
    const Outcome outcome = world.run({"stop", "magnets", world.pool / "absent", "does not run", {}});
    CHECK(outcome.ok);
    CHECK_FALSE(outcome.changed);
    CHECK(outcome.note == "does not run");
    CHECK_FALSE(exists(world.pool / "absent"));
}
