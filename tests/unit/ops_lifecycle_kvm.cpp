// The verbs on virtual machines: the same states, other homes.
#include "clara/base/error.hpp"
#include "clara/ops/lifecycle.hpp"
#include "facts_yaml.hpp"
#include "golden.hpp"
#include "planning.hpp"

using namespace clara;
using Catch::Matchers::Contains;

namespace {

const std::string world = R"(
guests:
  idle: {kind: kvm}
  live: {kind: kvm, state: running}
  asleep: {kind: kvm, state: running, condition: paused (I/O error)}
  ending: {kind: kvm, state: stopping}
  abroad: {kind: kvm, lease: host-b}
bridges: [clarabr0]
)";

GuestSpec spec(const std::string& name) {
    GuestSpec spec = vm_spec(name);
    spec.autostart = true;
    return spec;
}

template <class Planner>
std::string all_states(const char* verb, const Facts& facts, Planner plan) {
    std::string text = std::string("--- ") + verb + "\n";
    for (const auto& [name, guest] : facts.guests) {
        try {
            text += print(plan(name));
        } catch (const Error& e) {
            text += name + " " + to_string(e.kind()) + ": " + e.what() + " (" + e.hint() + ")\n";
        }
    }
    return text;
}

std::string all_verbs(const Facts& facts) {
    const Site where = vm_site();
    const std::string pool = "/var/lib/clara";
    return all_states("start", facts, [&](auto& name) { return plan_start(spec(name), where, facts, {}); }) +
           all_states("stop", facts, [&](auto& name) { return plan_stop(name, pool, where, facts, {}); }) +
           all_states("restart", facts,
                      [&](auto& name) { return plan_restart(spec(name), where, facts, {}); }) +
           all_states("restart --soft", facts,
                      [&](auto& name) { return plan_soft_restart(spec(name), where, facts, {}); }) +
           all_states("destroy --force", facts,
                      [&](auto& name) { return plan_destroy(name, pool, where, facts, {.force = true}); });
}

}  // namespace

TEST_CASE("every verb on a virtual machine, for each state") {
    check_golden("lifecycle/kvm.txt", all_verbs(facts_from_yaml(world)));
}

TEST_CASE("while libvirt cannot be asked, every verb on a virtual machine is refused") {
    Facts facts =
        facts_from_yaml("{guests: {idle: {kind: kvm, state: unknown}}, no-libvirt: cannot connect}");
    const std::string refused = "idle refused: cannot connect (start it)\n";
    const std::string text = all_verbs(facts);
    std::size_t count = 0;
    for (auto at = text.find(refused); at != std::string::npos; at = text.find(refused, at + 1)) ++count;
    CHECK(count == 5);
    facts = facts_from_yaml("{guests: {box: {}}, no-libvirt: cannot connect}");
    CHECK_NOTHROW(plan_stop("box", "/p", vm_site(), facts, {}));
}

TEST_CASE("a domain that libvirt lost is defined again, from the pool's copy or from guest.yaml") {
    Facts facts = facts_from_yaml(world);
    facts.kvm_defined.clear();
    GuestSpec idle = spec("idle");
    idle.machine.emplace().uuid = "99999999-8888-4777-8666-555555555555";
    Plan plan = plan_start(idle, vm_site(), facts, {.prove = false});
    CHECK_THAT(std::get<DefineGuest>(plan.actions.at(0)).config, Contains(idle.machine->uuid));
    facts.domain_xml["idle"] = "<domain/>";
    plan = plan_start(idle, vm_site(), facts, {.prove = false});
    REQUIRE(plan.actions.size() == 2);
    const auto& define = std::get<DefineGuest>(plan.actions[0]);
    CHECK(define.home == "qemu:///system");
    CHECK(define.kind == "kvm");
    CHECK(define.config == "<domain/>");
    CHECK(define.autostart);
    CHECK(std::get<StartGuest>(plan.actions[1]).kind == "kvm");
}

TEST_CASE("the address book tells what an interrupted destroy has left") {
    Facts facts = facts_from_yaml("{leftovers: [part], lxc: [part], kvm: [part]}");
    facts.book.push_back({"part", "controls", {}, {}, "kvm"});
    CHECK_THAT(print(plan_destroy("part", "/p", vm_site(), facts, {})),
               Contains("Remove domain part from qemu:///system") && !Contains("container"));
}

TEST_CASE("a machine with a damaged guest.yaml is known by the address book") {
    Facts facts = facts_from_yaml("{guests: {odd: {kind: ''}}, kvm: [odd]}");
    facts.guests["odd"].problem = "guest.yaml:1:1: no";
    facts.book = {{"odd", "controls", {}, {}, "kvm"}};
    CHECK_THAT(print(plan_destroy("odd", "/p", vm_site(), facts, {})), Contains("Remove domain odd"));
}
