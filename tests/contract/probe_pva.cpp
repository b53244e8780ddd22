// PVAccess on 5075 and 5076, as the probe sees it through a bridge.
#include <string>
#include <vector>

#include "catch.hpp"
#include "clara/drivers/epics/prove.hpp"
#include "clara/drivers/epics/pva.hpp"
#include "fixtures/lab.hpp"
#include "fixtures/mini_pva.hpp"
#include "fixtures/probing.hpp"

using namespace clara;
using namespace std::chrono_literals;
using Datagrams = std::vector<std::string>;

namespace {

ProveGuest pva_request(std::chrono::milliseconds timeout) {
    ProveGuest what = request();
    what.spec.ioc->pva = true;
    what.timeout = timeout;
    return what;
}

Datagrams good(const std::string& search) {
    return mini_pva::answers(search, 5075, {"MAGNETS:STATUS", "MAGNETS:IMAGE"});
}

std::string failure(const ProveGuest& what) {
    GuestProbe probe;
    return failure_of(probe, what).message();
}

}  // namespace

TEST_CASE("PVAccess searches are answered with the standard port") {
    Lab lab;
    lab.serve(serving_pva(good));
    ProveGuest what = pva_request(5s);
    CHECK(has(GuestProbe().prove(what, {}), "PVA "));
    what.spec.ioc->pva_pvs = {"MAGNETS:IMAGE", "MAGNETS:STATUS"};
    CHECK_NOTHROW(GuestProbe().prove(what, {}));
    what.spec.ioc->pva_pvs = {"MAGNETS:IMAGE", "MAGNETS:NONE"};
    what.timeout = in_vain;
    CHECK(has(failure(what), "PVAccess search on UDP 5076 (it does not have MAGNETS:NONE)"));
}

TEST_CASE("the server itself is looked for where no PV is known") {
    Lab lab;
    lab.serve(serving_pva([](const std::string& search) { return mini_pva::answers(search, 5075, {}); }));
    ProveGuest what = pva_request(5s);
    what.pvs.clear();
    CHECK(has(GuestProbe().prove(what, {}), "PVA "));
    lab.serve(serving_pva([](const std::string& search) { return mini_pva::answers(search, 40123, {}); }));
    what.timeout = in_vain;
    CHECK(has(failure(what), "the server listens on TCP 40123 instead of 5075"));
}

TEST_CASE("what is no PVAccess service is named") {
    Lab lab;
    auto service = serving_pva(good);
    SECTION("nobody hears searches") {
        service.pva_answers = {};
        lab.serve(service);
        CHECK(has(failure(pva_request(in_vain)), "PVAccess search on UDP 5076 (no answer)"));
    }
    SECTION("nobody serves") {
        service.banners.erase(5075);
        lab.serve(service);
        std::string text = failure(pva_request(in_vain));
        CHECK(has(text, "PVAccess on TCP 5075 (connection refused)"));
        CHECK_FALSE(has(text, "5076"));
    }
    SECTION("a server without the PV") {
        service.pva_answers = [](const std::string& search) {
            return mini_pva::answers(search, 5075, {"X"});
        };
        lab.serve(service);
        CHECK(has(failure(pva_request(in_vain)), "it does not have MAGNETS:STATUS"));
    }
    SECTION("a server on a dynamic port") {
        service.pva_answers = [](const std::string& search) {
            return mini_pva::answers(search, 40123, {"MAGNETS:STATUS"});
        };
        lab.serve(service);
        CHECK(has(failure(pva_request(in_vain)), "the server listens on TCP 40123 instead of 5075"));
    }
}

TEST_CASE("a PVAccess connection is completed, or EPICS' server takes no other for 6 s") {
    Lab lab;
    auto service = serving_pva(good);
    SECTION("a server that does not take it") {
        service.replies.clear();
        lab.serve(service);
        CHECK(has(failure(pva_request(in_vain)), "PVAccess on TCP 5075 (it does not take the connection)"));
    }
    SECTION("a server that does not even ask who we are") {
        service.banners[5075] = service.banners[5075].substr(0, 8);
        lab.serve(service);
        CHECK(has(failure(pva_request(in_vain)), "PVAccess on TCP 5075 (connects but says nothing)"));
    }
}

TEST_CASE("PVAccess answers that prove nothing are passed over") {
    Lab lab;
    const std::string one = std::string("\0\x01\0\0\0\0", 6);  // one id, 0
    Datagrams (*bad)(const std::string&, const std::string&) = nullptr;
    MiniGuest::Service service = serving_pva({});
    SECTION("cut off") {
        bad = [](const std::string& search, const std::string& ids) {
            std::string whole = mini_pva::answer(mini_pva::sequence(search), 5075, true, ids);
            Datagrams parts;
            for (std::size_t n = 0; n < whole.size(); ++n) parts.push_back(whole.substr(0, n));
            return parts;
        };
    }
    SECTION("more ids than there are bytes") {
        bad = [](const std::string& search, const std::string& ids) {
            return Datagrams{mini_pva::answer(mini_pva::sequence(search), 5075, true, "\xff\xff" + ids)};
        };
    }
    SECTION("of another search, of another PV") {
        bad = [](const std::string& search, const std::string& ids) {
            std::string other = mini_pva::sequence(search);
            other[3] ^= 1;
            return Datagrams{
                mini_pva::answer(other, 5075, true, ids),
                mini_pva::answer(mini_pva::sequence(search), 5075, true, std::string("\0\x01\0\0\0\7", 6))};
        };
    }
    SECTION("about a server of another address") {
        bad = [](const std::string& search, const std::string& ids) {
            return Datagrams{
                mini_pva::answer(mini_pva::sequence(search), 5075, true, ids, "\x0a\x57\x01\x0c")};
        };
    }
    SECTION("from another address") {
        lab.in_guest([] { run_ok({"ip", "addr", "add", "10.87.0.12/24", "dev", "eth0"}); });
        service.pva_from = *Ipv4::parse("10.87.0.12");
        bad = [](const std::string& search, const std::string& ids) {
            return Datagrams{mini_pva::answer(mini_pva::sequence(search), 5075, true, ids)};
        };
    }
    service.pva_answers = [=](const std::string& search) { return bad(search, one); };
    lab.serve(service);
    CHECK(has(failure(pva_request(150ms)), "PVAccess search on UDP 5076 (no answer)"));
    // The same noise does not hide a good answer.
    if (service.pva_from != Ipv4{}) return;
    service.pva_answers = [=](const std::string& search) {
        Datagrams all = bad(search, one);
        for (std::string& datagram : good(search)) all.push_back(std::move(datagram));
        return all;
    };
    lab.serve(service);
    CHECK_NOTHROW(GuestProbe().prove(pva_request(5s), {}));
}

TEST_CASE("a guest whose unicast searches are lost is asked by broadcast") {
    Lab lab;
    lab.serve(serving_pva(
        [](const std::string& search) { return mini_pva::is_unicast(search) ? Datagrams{} : good(search); }));
    CHECK(has(GuestProbe().prove(pva_request(30s), {}), "PVA "));
}

TEST_CASE("all PVAccess servers of a host tell their ports") {
    Lab lab;
    lab.serve(serving_pva([](const std::string& search) {
        Datagrams all = mini_pva::answers(search, 5075, {});
        all.push_back(mini_pva::answers(search, 40123, {}).front());
        all.push_back("junk");
        return all;
    }));
    CHECK(pva::server_ports(guest_subnet.address, 200ms) == std::set<std::uint16_t>{5075, 40123});
}
