#include "clara/base/error.hpp"
#include "clara/ops/lifecycle.hpp"
#include "clara/ops/lxc_config.hpp"
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
  daemon: {state: running, ioc: false}
  rising: {state: starting}
  ending: {state: stopping}
  killed: {state: leftover}
  abroad: {lease: host-b}
bridges: [clarabr0]
images: {minimal: 0123456789abcdef}
)";

Site site() {
    Network network;
    network.name = "controls";
    network.bridge = "clarabr0";
    network.subnet = *Subnet::parse("10.87.0.1/24");
    Site site;
    site.networks = {network};
    return site;
}

GuestSpec spec(const std::string& name) {
    GuestSpec spec;
    spec.name = name;
    spec.pool = "/var/lib/clara";
    spec.image = "minimal@0123456789ab";
    spec.nic.bridge = "clarabr0";
    spec.nic.subnet = *Subnet::parse("10.87.0.11/24");
    return spec;
}

/// Every state's plan for one verb, or what stands against it, one after the other.
template <class Planner>
std::string all_states(Planner plan) {
    Facts facts = facts_from_yaml(world);
    std::string text;
    for (const char* name : {"idle", "live", "daemon", "rising", "ending", "killed", "abroad", "lvie"}) {
        try {
            text += print(plan(name, facts));
        } catch (const Error& e) {
            text += std::string(name) + " " + to_string(e.kind()) + ": " + e.what() + " (" + e.hint() + ")\n";
        }
    }
    return text;
}

Error refusal(const GuestSpec& spec, const Facts& facts) {
    return clara::refusal([&] { plan_start(spec, site(), facts, {}); });
}

}  // namespace

TEST_CASE("start, for each state") {
    check_golden("lifecycle/start.txt", all_states([](const char* name, const Facts& facts) {
                     return plan_start(spec(name), site(), facts, {});
                 }));
}

TEST_CASE("stop, for each state") {
    check_golden("lifecycle/stop.txt", all_states([](const char* name, const Facts& facts) {
                     return plan_stop(name, "/var/lib/clara", site(), facts, {});
                 }));
}

TEST_CASE("restart, for each state") {
    check_golden("lifecycle/restart.txt", all_states([](const char* name, const Facts& facts) {
                     return plan_restart(spec(name), site(), facts, {});
                 }));
}

TEST_CASE("soft restart, for each state") {
    check_golden("lifecycle/soft-restart.txt", all_states([](const char* name, const Facts& facts) {
                     return plan_soft_restart(spec(name), site(), facts, {});
                 }));
}

TEST_CASE("destroy, for each state") {
    check_golden("lifecycle/destroy.txt", all_states([](const char* name, const Facts& facts) {
                     return plan_destroy(name, "/var/lib/clara", site(), facts, {});
                 }));
}

TEST_CASE("destroy with force stops what runs") {
    check_golden("lifecycle/destroy-force.txt", all_states([](const char* name, const Facts& facts) {
                     return plan_destroy(name, "/var/lib/clara", site(), facts, {.force = true});
                 }));
}

TEST_CASE("destroy finishes what a killed run began, and leaves foreign containers alone") {
    Facts facts = facts_from_yaml("{leftovers: [part], lxc: [part, foreign]}");
    CHECK(print(plan_destroy("part", "/p", site(), facts, {})) ==
          "destroy part: left by an interrupted run\n"
          "   1. Clear what an interrupted create of part left in /p\n"
          "   2. Remove container part from /var/lib/lxc\n"
          "   3. Release the address of part\n");
    CHECK_THROWS_WITH(plan_destroy("foreign", "/p", site(), facts, {}), Contains("no such guest"));
}

TEST_CASE("a start is refused, before anything is touched, where something it needs is missing") {
    Facts facts = facts_from_yaml(world);
    GuestSpec idle = spec("idle");

    SECTION("the image") {
        facts.images.clear();
        CHECK(refusal(idle, facts).kind() == ErrorKind::refused);
        CHECK_THAT(refusal(idle, facts).what(), Contains("image minimal@0123456789ab is missing"));
    }
    SECTION("a sound image") {
        facts.broken_images.insert(idle.image);
        CHECK_THAT(refusal(idle, facts).what(), Contains("damaged"));
    }
    SECTION("a mount that hangs") {
        idle.mounts.push_back({"/srv/nfs", "/opt/iocs"});
        facts.paths["/srv/nfs"].state = PathFact::State::hung;
        CHECK_THAT(refusal(idle, facts).what(), Contains("/srv/nfs does not answer"));
    }
    SECTION("a bridge that is not ours") {
        idle.nic.bridge = "br-lab";
        CHECK_THAT(refusal(idle, facts).what(), Contains("bridge br-lab is missing"));
    }
}

TEST_CASE("a missing managed bridge is made before the start") {
    Facts facts = facts_from_yaml(world);
    facts.bridges.clear();
    Plan plan = plan_start(spec("idle"), site(), facts, {.prove = false});
    REQUIRE(plan.actions.size() == 2);
    CHECK(std::holds_alternative<EnsureBridge>(plan.actions[0]));
    CHECK(std::holds_alternative<StartGuest>(plan.actions[1]));
}

TEST_CASE("a guest without container definition is defined again") {
    Facts facts = facts_from_yaml(world);
    facts.lxc_defined.clear();
    Plan plan = plan_start(spec("idle"), site(), facts, {.prove = false});
    REQUIRE(plan.actions.size() == 2);
    REQUIRE(std::holds_alternative<DefineGuest>(plan.actions[0]));
    CHECK(std::get<DefineGuest>(plan.actions[0]).config == lxc_config(spec("idle"), site(), facts));
}
