#include "clara/drivers/network/arp.hpp"

#include <atomic>
#include <map>
#include <thread>

#include "catch.hpp"
#include "clara/base/error.hpp"
#include "fixtures/lab.hpp"

using namespace clara;
using namespace std::chrono_literals;

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
