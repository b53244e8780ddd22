// One suite for every ProbeDriver. The real one looks through a bridge at a guest in its own network
// namespace.
#include "fakes/probe.hpp"

#include <sys/wait.h>

#include <algorithm>
#include <optional>

#include "catch.hpp"
#include "clara/drivers/epics/prove.hpp"
#include "fixtures/lab.hpp"
#include "fixtures/probing.hpp"

using namespace clara;
using namespace std::chrono_literals;

namespace {

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
        if (service.pva_answers) probe.answers["magnets"].insert(5076);
    }
};

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
        auto service = serving_pva(
            [](const std::string& search) { return mini_pva::answers(search, 5075, {"MAGNETS:STATUS"}); });
        service.banners[8080] = "";
        world.serve(service);
        what.spec.ioc->pva = true;
        what.spec.ports = {8080};
        CHECK_NOTHROW(world.driver().prove(what, {}));
    }
    SECTION("PVAccess whose searches nobody hears") {
        world.serve(serving_pva({}));
        what.spec.ioc->pva = true;
        what.timeout = in_vain;
        CHECK(has(failure_of(world.driver(), what).message(), "5076"));
    }
    SECTION("a port that does not answer is named") {
        auto service = ordinary();
        service.banners.erase(7001);
        world.serve(service);
        what.timeout = in_vain;
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
    what.timeout = in_vain;
    GuestProbe probe({[](const GuestSpec&) { return "cannot open magnets.db\n"; }, {}});

    SECTION("nothing listens") {
        std::string text = failure_of(probe, what).message();
        CHECK(has(text, "magnets (10.87.0.11) did not answer within 1s"));
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
