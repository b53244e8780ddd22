// One suite for every ProbeDriver. The real one looks through a bridge at a guest in its own network
// namespace.
#include "fakes/probe.hpp"

#include <sys/wait.h>

#include <algorithm>
#include <optional>

#include "catch.hpp"
#include "clara/drivers/epics/ca_servers.hpp"
#include "clara/drivers/epics/prove.hpp"
#include "clara/drivers/network/arp.hpp"
#include "clara/drivers/network/bridge.hpp"
#include "fakes/net_space.hpp"
#include "fixtures/mini_guest.hpp"

using namespace clara;
using namespace std::chrono_literals;

namespace {

const Subnet host_subnet = *Subnet::parse("10.87.0.1/24");
const Subnet guest_subnet = *Subnet::parse("10.87.0.11/24");
const Mac guest_mac = *Mac::parse("02:c1:a7:00:00:11");
const std::string ssh = "SSH-2.0-OpenSSH_9.2p1\r\n";
const std::string procserv = "@@@ Welcome to procServ (procServ Process Server 2.7.0)\r\n@@@ ...\r\n";
const std::string pva = std::string("\xca\x02\x41\x02\0\0\0\0", 8);

ProveGuest request() {
    ProveGuest what;
    what.spec.name = "magnets";
    what.spec.nic = {"controls", "clarabr0", guest_subnet, std::nullopt, guest_mac};
    what.spec.ioc.emplace();
    what.pvs = {"MAGNETS:STATUS", "MAGNETS:OTHER"};
    what.timeout = 5s;
    return what;
}

/// clarabr0 with one port, behind which a guest's network begins. The test stays on the host's side.
class Lab {
  public:
    Lab() {
        BridgeDriver().ensure_bridge({"clarabr0", host_subnet});
        Fd host(::open("/proc/thread-self/ns/net", O_RDONLY | O_CLOEXEC));
        run_ok({"ip", "link", "add", "vguest", "type", "veth", "peer", "name", "eth0"});
        run_ok({"ip", "link", "set", "vguest", "master", "clarabr0", "up"});
        {
            NetSpace inside;
            guest_ = Fd(::fcntl(inside.fd(), F_DUPFD_CLOEXEC, 0));
        }
        run_ok({"ip", "link", "set", "eth0", "netns",
                "/proc/" + std::to_string(::getpid()) + "/fd/" + std::to_string(guest_.get())});
        in_guest([] {
            run_ok({"ip", "link", "set", "eth0", "address", guest_mac.str(), "up"});
            run_ok({"ip", "addr", "add", guest_subnet.str(), "brd", "+", "dev", "eth0"});
        });
        await_link();
    }
    template <class F>
    void in_guest(F body) {
        Fd back(::open("/proc/thread-self/ns/net", O_RDONLY | O_CLOEXEC));
        REQUIRE(::setns(guest_.get(), CLONE_NEWNET) == 0);
        body();
        REQUIRE(::setns(back.get(), CLONE_NEWNET) == 0);
    }
    std::optional<MiniGuest>& serve(MiniGuest::Service service) {
        in_guest([&] { server_.emplace(std::move(service)); });
        return server_;
    }

  private:
    /// The kernel lets a new port forward a moment after it is up, from a work queue.
    void await_link() {
        ArpSocket socket("clarabr0");
        for (int i = 0; i < 5000; ++i) {
            socket.ask(guest_subnet.address);
            pollfd one{socket.fd(), POLLIN, 0};
            if (::poll(&one, 1, 2) > 0 && socket.hear()) return;
        }
        FAIL("the guest's link does not come up");
    }
    NetSpace host_;
    Fd guest_;
    std::optional<MiniGuest> server_;
};

MiniGuest::Service ordinary() {
    return {{{22, ssh}, {7001, procserv}}, {{"MAGNETS:STATUS", "On"}, {"MAGNETS:CURRENT", "12.5"}}, 5064};
}

struct RealProbe {
    Lab lab;
    GuestProbe probe;
    ProbeDriver& driver() { return probe; }
    void serve(MiniGuest::Service service) { lab.serve(std::move(service)); }
};

struct FakeOne {
    FakeProbe probe;
    ProbeDriver& driver() { return probe; }
    void serve(const MiniGuest::Service& service) {
        for (const auto& [port, words] : service.banners) probe.answers["magnets"].insert(port);
        probe.answers["magnets"].insert(service.ca_port);
    }
};

Error failure_of(ProbeDriver& driver, const ProveGuest& what, std::function<bool()> interrupted = {}) {
    try {
        driver.prove(what, interrupted);
    } catch (const Error& e) {
        return e;
    }
    FAIL("no error");
    throw;
}

bool has(const std::string& text, const std::string& part) {
    return text.find(part) != std::string::npos;
}

}  // namespace

TEMPLATE_TEST_CASE("probe drivers", "", RealProbe, FakeOne) {
    TestType world;
    ProveGuest what = request();

    SECTION("an IOC that answers on its standard ports") {
        world.serve(ordinary());
        std::string note = world.driver().prove(what, {});
        CHECK(has(note, "ssh "));
        CHECK(has(note, "procServ "));
        CHECK(has(note, "CA "));
    }
    SECTION("further ports and PVAccess are proven where they are wanted") {
        auto service = ordinary();
        service.banners[5075] = pva;
        service.banners[8080] = "";
        world.serve(service);
        what.spec.ioc->pva = true;
        what.spec.ports = {8080};
        CHECK_NOTHROW(world.driver().prove(what, {}));
    }
    SECTION("a port that does not answer is named") {
        auto service = ordinary();
        service.banners.erase(7001);
        world.serve(service);
        what.timeout = 100ms;
        Error e = failure_of(world.driver(), what);
        CHECK(e.kind() == ErrorKind::failed);
        CHECK(has(e.message(), "7001"));
        CHECK_FALSE(has(e.message(), "TCP 22"));
    }
    SECTION("an interrupt ends the wait") {
        Error e = failure_of(world.driver(), what, [] { return true; });
        CHECK(e.kind() == ErrorKind::interrupted);
    }
    SECTION("a guest without an IOC needs ssh only") {
        world.serve({{{22, ssh}}, {}, 0});
        what.spec.ioc.reset();
        CHECK_NOTHROW(world.driver().prove(what, {}));
    }
}

TEST_CASE("procServ is asked once and left alone") {
    Lab lab;
    auto& server = lab.serve(ordinary());
    GuestProbe().prove(request(), {});
    CHECK(server->connections(7001) == 1);
}

TEST_CASE("what a silent guest lacks, with the end of its log") {
    Lab lab;
    ProveGuest what = request();
    what.timeout = 60ms;
    GuestProbe probe({[](const GuestSpec&) { return "cannot open magnets.db\n"; }, {}});

    SECTION("nothing listens") {
        std::string text = failure_of(probe, what).message();
        CHECK(has(text, "magnets (10.87.0.11) did not answer within 60ms"));
        CHECK(has(text, "ssh on TCP 22 (connection refused)"));
        CHECK(has(text, "Channel Access search on UDP 5064"));
        CHECK(has(text, "cannot open magnets.db"));
    }
    SECTION("wrong servers on the ports") {
        lab.serve({{{22, "220 ftp\r\n"}, {7001, procserv}}, {{"OTHER", "1"}}, 5064});
        std::string text = failure_of(probe, what).message();
        CHECK(has(text, "ssh on TCP 22 (something else answers)"));
        CHECK(has(text, "it does not have MAGNETS:STATUS"));
        CHECK_FALSE(has(text, "procServ"));
    }
    SECTION("the CA server got a dynamic port") {
        auto service = ordinary();
        service.ca_port = 40123;
        lab.serve(service);
        CHECK(has(failure_of(probe, what).message(), "the server listens on TCP 40123 instead of 5064"));
    }
    SECTION("the guest's port is unplugged") {
        run_ok({"ip", "link", "set", "vguest", "nomaster"});
        CHECK(has(failure_of(probe, what).message(), "ARP for 10.87.0.11"));
    }
    SECTION("another machine has the address") {
        lab.in_guest([] { run_ok({"ip", "link", "set", "eth0", "address", "02:00:00:00:00:99"}); });
        std::string text = failure_of(probe, what).message();
        CHECK(has(text, "10.87.0.11 is answered by 02:00:00:00:00:99, not by the guest's 02:c1:a7:00:00:11"));
    }
}

TEST_CASE("a second CA server takes the guest's unicast searches") {
    Lab lab;
    lab.serve(ordinary());
    std::optional<MiniGuest> second;
    lab.in_guest([&] { second.emplace(MiniGuest::Service{{}, {{"OTHER", "1"}}, 40123}); });
    ProveGuest what = request();
    what.timeout = 30s;
    CHECK(has(GuestProbe().prove(what, {}), "CA "));
}

TEST_CASE("a guest that comes up while we wait") {
    Lab lab;
    ProveGuest what = request();
    int asked = 0;
    std::string note = GuestProbe().prove(what, [&] {
        if (++asked == 5) lab.serve(ordinary());
        return false;
    });
    CHECK(has(note, "CA "));
}

TEST_CASE("the host's ARP cache may know a former guest of the address") {
    Lab lab;
    lab.serve(ordinary());
    run_ok({"ip", "neigh", "replace", "10.87.0.11", "lladdr", "02:00:00:00:00:77", "dev", "clarabr0", "nud",
            "stale"});
    CHECK_NOTHROW(GuestProbe().prove(request(), {}));
}

TEST_CASE("ARP tells who has an address") {
    Lab lab;
    Ipv4 free = *Ipv4::parse("10.87.0.12");
    auto used = arp_probe("clarabr0", {guest_subnet.address, free}, 25ms);
    CHECK(used == std::map<Ipv4, Mac>{{guest_subnet.address, guest_mac}});
    CHECK(arp_probe("none", {free}, 25ms).empty());
    CHECK_THROWS_AS(ArpSocket("none"), Error);

    SECTION("a station that probes at the same time counts too") {
        std::optional<ArpSocket> other;
        lab.in_guest([&] { other.emplace("eth0"); });
        std::atomic<bool> done{false};
        std::thread prober([&] {
            while (!done) {
                other->ask(free);
                std::this_thread::sleep_for(1ms);
            }
        });
        used = arp_probe("clarabr0", {free}, 1s);
        done = true;
        prober.join();
        CHECK(used == std::map<Ipv4, Mac>{{free, guest_mac}});
    }
    SECTION("an announcement is heard by everybody") {
        ArpSocket ear("clarabr0");
        std::optional<ArpSocket> other;
        lab.in_guest([&] { other.emplace("eth0"); });
        other->announce(free, guest_mac);
        pollfd one{ear.fd(), POLLIN, 0};
        REQUIRE(::poll(&one, 1, 5000) == 1);
        auto heard = ear.hear();
        REQUIRE(heard);
        CHECK(heard->address == free);
        CHECK(heard->mac == guest_mac);
        CHECK_FALSE(heard->probing);
    }
}

TEST_CASE("Channel Access through a bridge") {
    Lab lab;
    lab.serve(ordinary());
    std::vector<std::string> names = {"MAGNETS:NONE", "MAGNETS:STATUS", "MAGNETS:CURRENT"};
    auto found = ca::find(names, host_subnet.broadcast(), 200ms, "clarabr0");
    ca::Server server{guest_subnet.address, 5064};
    CHECK(found ==
          std::map<std::string, ca::Server>{{"MAGNETS:STATUS", server}, {"MAGNETS:CURRENT", server}});
    CHECK(ca::find({"MAGNETS:STATUS"}, guest_subnet.address, 5s).count("MAGNETS:STATUS") == 1);
    CHECK(ca::find(names, host_subnet.broadcast(), 50ms, "none").empty());
    CHECK(ca::get(server, "MAGNETS:STATUS", 5s) == "On");
    CHECK(ca::get(server, "MAGNETS:CURRENT", 5s) == "12.5");
    CHECK_THROWS_WITH(ca::get(server, "MAGNETS:NONE", 5s),
                      "reading MAGNETS:NONE: the Channel Access server 10.87.0.11:5064 does not have it");
    CHECK_THROWS_AS(ca::get({guest_subnet.address, 5065}, "MAGNETS:STATUS", 5s), Error);
}

TEST_CASE("a second CA server of a guest is found") {
    NetSpace space;
    auto pvs = ordinary().pvs;
    MiniGuest first({{}, pvs, 5064});
    CHECK(extra_ca_servers(::getpid()).empty());
    int ready[2], end[2];
    REQUIRE(::pipe(ready) == 0);
    REQUIRE(::pipe(end) == 0);
    pid_t child = ::fork();
    if (child == 0) {
        ::close(end[1]);
        // A fork has the first server's sockets as well; a real second server does not.
        ::close_range(3, static_cast<unsigned>(std::min({ready[0], ready[1], end[0]})) - 1, 0);
        MiniGuest second({{}, {}, 40123});
        (void)!::write(ready[1], "x", 1);
        char byte;
        (void)!::read(end[0], &byte, 1);
        ::_exit(0);
    }
    char byte;
    ::close(ready[1]);
    REQUIRE(::read(ready[0], &byte, 1) == 1);
    auto extra = extra_ca_servers(::getpid());
    REQUIRE(extra.size() == 1);
    CHECK(extra[0].pid == child);
    CHECK(extra[0].tcp == std::set<std::uint16_t>{40123});
    CHECK(has(extra[0].str(), "on TCP 40123"));
    for (int fd : {ready[0], end[0], end[1]}) ::close(fd);
    ::waitpid(child, nullptr, 0);
}
