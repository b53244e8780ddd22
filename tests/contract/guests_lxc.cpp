// What only containers have; LXC itself runs where tests/system/vhost gives it a host of its own.
#include <cstdlib>

#include "catch.hpp"
#include "clara/drivers/lxc/states.hpp"
#include "fixtures/guest_hosts.hpp"

using namespace clara;

TEST_CASE("LXC's own words tell why a container did not start", "[guests][vhost]") {
    if (!std::getenv("CLARA_VHOST")) return;
    LxcHost host;
    host.define("a");
    host.break_start("a");
    CHECK_THROWS_WITH(host.start("a"), Catch::Contains("/bin/absent"));
}

TEST_CASE("an init that is deaf is killed after the timeout", "[guests][vhost]") {
    if (!std::getenv("CLARA_VHOST")) return;
    LxcHost host;
    host.driver().define({host.home(), "a", host.config("a") + "lxc.init.cmd = /bin/deaf\n"});
    host.start("a");
    host.driver().stop({host.home(), "a", 50ms});
    CHECK_FALSE(host.running("a"));
}

TEST_CASE("states come from the kernel's files", "[guests][vhost]") {
    if (!std::getenv("CLARA_VHOST")) return;
    LxcHost host;
    CHECK(lxc_states(host.site).empty());
    host.define("a");
    host.start("a");
    auto states = lxc_states(host.site);
    REQUIRE(states.size() == 1);
    const LxcState& a = states.at("a");
    CHECK(a.state == GuestState::running);
    CHECK(run_ok({"lxc-info", "-P", host.home(), "-n", "a", "-pH"}) == std::to_string(a.init_pid) + "\n");
    REQUIRE(a.memory);
    CHECK(*a.memory > 4096);
    CHECK(*a.memory < 20 << 20);
    REQUIRE(a.uptime_s);
    CHECK(*a.uptime_s >= -0.02);  // its start is counted in ticks of 10 ms
    CHECK(*a.uptime_s < 60);
    REQUIRE(a.cpu_s);
    CHECK(*a.cpu_s < 60);
}
