// Snapshots and rollbacks of virtual machines: plans for each state, and what the executor makes of them.
#include "clara/base/error.hpp"
#include "clara/ops/rollback.hpp"
#include "clara/ops/snapshot.hpp"
#include "clara/plan/executor.hpp"
#include "facts_yaml.hpp"
#include "fakes/guests.hpp"
#include "fakes/network.hpp"
#include "fakes/points.hpp"
#include "fakes/probe.hpp"
#include "fakes/storage.hpp"
#include "golden.hpp"
#include "planning.hpp"
#include "temp_dir.hpp"

using namespace clara;
using Catch::Matchers::Contains;

namespace {

const std::string world = R"(
guests:
  idle: {kind: kvm}
  live: {kind: kvm, state: running}
  ending: {kind: kvm, state: stopping}
  abroad: {kind: kvm, lease: host-b}
  lost: {kind: kvm}
bridges: [clarabr0]
)";

GuestSpec spec(const std::string& name) {
    GuestSpec spec = vm_spec(name);
    spec.nic.network = "controls";
    spec.nic.mac = *Mac::parse("02:c1:a7:00:00:01");
    return spec;
}

/// Each has a snapshot of its disks and one with memory; libvirt does not know the guest lost.
Facts facts() {
    Facts facts = facts_from_yaml(world);
    facts.kvm_defined.erase("lost");
    for (auto& entry : facts.book) {
        entry.address = spec("any").nic.subnet.address;
        entry.mac = spec("any").nic.mac;
    }
    for (const auto& [name, guest] : facts.guests)
        facts.disks[name].snapshots = {
            {.info = {.name = "disks", .time = "2026-11-16T08:00:00Z", .state = "running"}},
            {.info = {
                 .name = "awake", .time = "2026-11-17T08:00:00Z", .state = "running", .memory = 1 << 26}}};
    return facts;
}

template <class Planner>
std::string all_states(const char* what, Planner plan) {
    const Facts known = facts();
    std::string text = std::string("--- ") + what + "\n";
    for (const auto& [name, guest] : known.guests) {
        try {
            text += print(plan(name, known));
        } catch (const Error& e) {
            text += name + " " + to_string(e.kind()) + ": " + e.what() + " (" + e.hint() + ")\n";
        }
    }
    return text;
}

Plan create(const std::string& name, const Facts& known, const SnapshotOptions& options = {}) {
    return plan_snapshot(name, "/var/lib/clara", vm_site(), known, options, clock_at_noon());
}

Plan back(const std::string& name, const std::string& to, const Facts& known, RollbackOptions options = {}) {
    options.domain_then = "<domain>then</domain>";
    if (options.domain_now.empty()) options.domain_now = "<domain>now</domain>";
    return plan_rollback(name, "/var/lib/clara", known_snapshot(name, to, known), spec(name), spec(name),
                         vm_site(), known, options, clock_at_noon());
}

}  // namespace

TEST_CASE("snapshots of virtual machines, for each state") {
    check_golden("snapshot/kvm.txt",
                 all_states("create", [](auto& name, auto& known) {
                     return create(name, known);
                 }) + all_states("create --memory", [](auto& name, auto& known) {
                     return create(name, known, {.memory = true});
                 }) + all_states("create --keep 1", [](auto& name, auto& known) {
                     return create(name, known, {.newest = 1});
                 }) + all_states("delete", [](auto& name, auto& known) {
                     return plan_snapshot_delete(name, "/p", {"disks", "awake"}, vm_site(), known);
                 }) + all_states("rollback disks", [](auto& name, auto& known) {
                     return back(name, "disks", known);
                 }) + all_states("rollback awake --start", [](auto& name, auto& known) {
                     return back(name, "awake", known, {.start = true});
                 }));
}

TEST_CASE("memory is kept where there is room, and of no machine with UEFI") {
    Facts known = facts();
    CHECK_THAT(refusal([&] { create("live", known, {.memory = true, .uefi = true}); }).what(),
               Contains("its firmware is UEFI"));
    known.pool_free = 1 << 28;
    CHECK_THAT(refusal([&] { create("live", known, {.memory = true, .memory_size = 1 << 28}); }).what(),
               Contains("the pool has 256.0 MiB free"));
    CHECK_NOTHROW(create("live", known, {.memory = true, .memory_size = 1 << 27}));
    CHECK_NOTHROW(create("live", known));
}

TEST_CASE("without libvirt nothing is done to virtual machines") {
    Facts known = facts();
    known.libvirt_problem = "cannot connect to libvirt";
    for (auto& work : std::vector<std::function<void()>>{
             [&] { create("live", known); }, [&] { back("live", "disks", known); },
             [&] { plan_snapshot_delete("live", "/p", {"disks"}, vm_site(), known); }})
        CHECK(refusal(work).kind() == ErrorKind::refused);
}

TEST_CASE("a domain is defined anew where it has become another, and again on a failure") {
    auto defined = [](const Plan& plan) {
        std::vector<DefineGuest> found;
        for (const auto& action : plan.actions)
            if (const auto* define = std::get_if<DefineGuest>(&action)) found.push_back(*define);
        return found;
    };
    const auto changed = defined(back("live", "disks", facts()));
    REQUIRE(changed.size() == 1);
    CHECK(changed[0].config == "<domain>then</domain>");
    CHECK(changed[0].before == "<domain>now</domain>");
    CHECK(changed[0].kind == "kvm");
    CHECK(defined(back("live", "disks", facts(), {.domain_now = "<domain>then</domain>"})).empty());
    const auto lost = defined(back("lost", "disks", facts(), {.start = true}));
    REQUIRE(lost.size() == 1);
    CHECK(lost[0].config == "<domain>then</domain>");
    CHECK(lost[0].before.empty());
}

TEST_CASE("what the hypervisor has kept goes with a snapshot that fails") {
    TempDir pool;
    FakeStorage storage;
    FakeGuests guests;
    FakeNetwork network;
    FakeProbe probe;
    FakePoints points{storage};
    Drivers drivers{storage, guests, network, probe, points};
    storage.pools[pool.path()].guests["live"].spec = spec("live");
    storage.pools[pool.path()].running.insert("live");
    guests.configs["live"] = lxc_config_head("");
    guests.up.insert("live");
    auto take = [&] {
        const Plan plan =
            plan_snapshot("live", pool.path(), vm_site(), facts(), {.as = "new"}, clock_at_noon());
        return execute({plan}, drivers, {}).outcomes.at(0);
    };
    SECTION("it does not") {
        const Outcome outcome = take();
        CHECK(outcome.ok);
        CHECK(outcome.note == "new: it ran on");
        CHECK(guests.calls == std::vector<std::string>{"keep live new"});
    }
    SECTION("it does") {
        storage.pools[pool.path()].guests["live"].files["/damaged"] = {};
        CHECK(take().kind == ErrorKind::failed);
        CHECK(guests.calls == std::vector<std::string>{"keep live new", "drop live"});
        CHECK(storage.pools[pool.path()].partial_snapshots["live"].empty());
    }
    SECTION("it has stopped") {
        guests.up.clear();
        CHECK(take().stale);
        CHECK(storage.pools[pool.path()].partial_snapshots["live"].empty());
    }
}
