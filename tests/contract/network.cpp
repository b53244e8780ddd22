// One suite for every NetworkDriver.
#include "fakes/network.hpp"

#include <fcntl.h>
#include <sys/wait.h>

#include <cstdio>
#include <memory>

#include "catch.hpp"
#include "clara/base/files.hpp"
#include "clara/base/process.hpp"
#include "clara/drivers/network/bridge.hpp"
#include "fakes/net_space.hpp"

using namespace clara;

namespace {

const EnsureBridge wanted{"clarabr0", {*Ipv4::parse("10.87.0.1"), 24}};

/// A host whose only user is the test.
struct NetworkHost {
    virtual ~NetworkHost() = default;
    virtual NetworkDriver& driver() = 0;
    virtual bool has(const std::string& bridge) = 0;
    virtual void attach_port(const std::string& bridge) = 0;
    virtual void add_plain_link(const std::string& name, const std::string& address) = 0;
};

struct RealHost : NetworkHost {
    NetSpace space;
    BridgeDriver bridge_driver;
    NetworkDriver& driver() override { return bridge_driver; }
    bool has(const std::string& bridge) override { return bridges().count(bridge) != 0; }
    void attach_port(const std::string& bridge) override {
        run_ok({"ip", "link", "add", "p0", "type", "veth", "peer", "name", "p1"});
        run_ok({"ip", "link", "set", "p0", "master", bridge, "up"});
    }
    void add_plain_link(const std::string& name, const std::string& address) override {
        run_ok({"ip", "link", "add", name, "type", "veth", "peer", "name", "peer9"});
        run_ok({"ip", "addr", "add", address, "dev", name});
    }
};

struct FakeHost : NetworkHost {
    FakeNetwork fake;
    NetworkDriver& driver() override { return fake; }
    bool has(const std::string& bridge) override { return fake.bridges.count(bridge) != 0; }
    void attach_port(const std::string& bridge) override { fake.with_ports.insert(bridge); }
    void add_plain_link(const std::string& name, const std::string& address) override {
        fake.other_links.insert(name);
        fake.elsewhere.insert(*Subnet::parse(address));
    }
};

ErrorKind kind_of(const std::function<void()>& body) {
    try {
        body();
    } catch (const Error& e) {
        return e.kind();
    }
    FAIL("no error");
    return ErrorKind::failed;
}

}  // namespace

TEMPLATE_TEST_CASE("network drivers", "", RealHost, FakeHost) {
    TestType host;
    NetworkDriver& driver = host.driver();

    SECTION("made once, then found") {
        CHECK(driver.ensure_bridge(wanted));
        CHECK(host.has("clarabr0"));
        CHECK_FALSE(driver.ensure_bridge(wanted));
        driver.remove_bridge("clarabr0");
        CHECK_FALSE(host.has("clarabr0"));
        CHECK_NOTHROW(driver.remove_bridge("clarabr0"));
    }
    SECTION("another address of the same bridge is refused") {
        driver.ensure_bridge(wanted);
        CHECK(kind_of([&] {
                  driver.ensure_bridge({"clarabr0", {*Ipv4::parse("10.88.0.1"), 24}});
              }) == ErrorKind::refused);
    }
    SECTION("a subnet that another interface has is refused, and nothing is made") {
        host.add_plain_link("eth9", "10.87.0.77/24");
        CHECK(kind_of([&] { driver.ensure_bridge(wanted); }) == ErrorKind::refused);
        CHECK_FALSE(host.has("clarabr0"));
    }
    SECTION("an interface that is no bridge is left alone") {
        host.add_plain_link("clarabr0", "10.99.0.1/24");
        CHECK(kind_of([&] { driver.ensure_bridge(wanted); }) == ErrorKind::refused);
        CHECK(kind_of([&] { driver.remove_bridge("clarabr0"); }) == ErrorKind::refused);
    }
    SECTION("a bridge with ports stays") {
        driver.ensure_bridge(wanted);
        host.attach_port("clarabr0");
        CHECK(kind_of([&] { driver.remove_bridge("clarabr0"); }) == ErrorKind::refused);
        CHECK(host.has("clarabr0"));
    }
    SECTION("names the kernel cannot take") {
        CHECK(kind_of([&] {
                  driver.ensure_bridge({"a-name-too-long-", wanted.address});
              }) == ErrorKind::usage);
        CHECK(kind_of([&] { driver.ensure_bridge({"", wanted.address}); }) == ErrorKind::usage);
    }
}

TEST_CASE("the bridge as ip(8) sees it") {
    RealHost host;
    host.driver().ensure_bridge(wanted);
    std::string text = run_ok({"ip", "-d", "addr", "show", "clarabr0"});
    CHECK(text.find("inet 10.87.0.1/24 brd 10.87.0.255") != std::string::npos);
    CHECK(text.find("link/ether 02:ca:0a:57:00:01") != std::string::npos);
    CHECK(text.find("forward_delay 0 ") != std::string::npos);
    CHECK(text.find("stp_state 0 ") != std::string::npos);
    CHECK(addresses_of("clarabr0") == std::set<Subnet>{wanted.address});
    auto link = interface_named("clarabr0");
    REQUIRE(link);
    CHECK(link->up);
    CHECK_FALSE(link->has_ports);
    CHECK(link->mac == bridge_mac(wanted.address.address));
    CHECK_FALSE(interface_named("none"));
    host.attach_port("clarabr0");
    CHECK(interface_named("clarabr0")->has_ports);
}

TEST_CASE("a bridge that was set down or lost its address is mended") {
    RealHost host;
    host.driver().ensure_bridge(wanted);
    run_ok({"ip", "addr", "flush", "dev", "clarabr0"});
    run_ok({"ip", "link", "set", "clarabr0", "down"});
    CHECK_FALSE(host.driver().ensure_bridge(wanted));
    CHECK(interface_named("clarabr0")->up);
    CHECK(addresses_of("clarabr0").count(wanted.address) == 1);
}

TEST_CASE("many at once make one bridge") {
    RealHost host;
    std::vector<pid_t> children;
    for (int i = 0; i < 50; ++i) {
        pid_t child = ::fork();
        if (child == 0) {
            try {
                ::_exit(BridgeDriver().ensure_bridge(wanted) ? 1 : 0);
            } catch (const Error& e) {
                std::fprintf(stderr, "%s\n", e.what());
                ::_exit(2);
            }
        }
        children.push_back(child);
    }
    int made = 0;
    for (pid_t child : children) {
        int status = 0;
        ::waitpid(child, &status, 0);
        REQUIRE(WIFEXITED(status));
        CHECK(WEXITSTATUS(status) != 2);
        made += WEXITSTATUS(status) == 1;
    }
    CHECK(made == 1);
    CHECK(addresses_of("clarabr0") == std::set<Subnet>{wanted.address});
}
