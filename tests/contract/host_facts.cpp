#include "clara/drivers/host_facts.hpp"

#include <unistd.h>

#include <cerrno>

#include "catch.hpp"
#include "clara/base/files.hpp"
#include "clara/drivers/network/bridge.hpp"
#include "clara/drivers/storage/lease.hpp"
#include "clara/spec/guest.hpp"
#include "fakes/net_space.hpp"
#include "temp_dir.hpp"

using namespace clara;
using namespace std::chrono_literals;

TEST_CASE("facts of a host without anything") {
    NetSpace space;
    TempDir dir;
    Site site = default_site();
    site.lxc_path = dir / "lxc";
    Facts facts = gather_facts(site, {.pool = dir / "pool", .helpers = false});
    CHECK(facts.guests.empty());
    CHECK(facts.images.empty());
    CHECK(facts.bridges.empty());
    CHECK(facts.lxc_defined.empty());
    CHECK_FALSE(facts.hostname.empty());
}

TEST_CASE("bridges, containers and paths are told") {
    NetSpace space;
    TempDir dir;
    Site site = default_site();
    site.lxc_path = dir / "lxc";
    make_dirs(dir / "lxc/other");
    make_dirs(dir / "lxc/no-container");
    write_file(dir / "lxc/other/config", "");
    const Network& network = site.network("");
    BridgeDriver().ensure_bridge({network.bridge, network.subnet});
    Facts facts =
        gather_facts(site, {.pool = dir / "pool", .paths = {dir.path(), dir / "none"}, .helpers = false});
    CHECK(facts.bridges == std::set<std::string>{network.bridge});
    CHECK(facts.lxc_defined == std::set<std::string>{"other"});
    CHECK(facts.paths.at(dir.path()).state == PathFact::State::ok);
    CHECK(facts.paths.at(dir / "none").state == PathFact::State::absent);
}

TEST_CASE("a guest that another host runs") {
    NetSpace space;
    TempDir dir;
    Site site = default_site();
    site.lxc_path = dir / "lxc";
    GuestSpec spec;
    spec.pool = dir.path();
    spec.image = "minimal@0123456789ab";
    spec.nic = {"controls", "clarabr0", *Subnet::parse("10.87.0.11/24"), std::nullopt, Mac{0x02c1a7000011}};
    for (const char* name : {"bpm01", "bpm02"}) {
        spec.name = name;
        make_dirs(dir / "guests/" + name);
        write_file(dir / "guests/" + name + "/guest.yaml", write_guest(spec));
    }
    write_lease(open_dir(dir / "guests/bpm01").get(),
                {"elsewhere", "boot", "run", "2026-11-23T08:39:32Z", 7});
    write_lease(open_dir(dir / "guests/bpm02").get(),
                {this_host(), "boot", "run", "2026-11-23T08:39:32Z", 7});
    Facts facts = gather_facts(site, {.pool = dir.path(), .helpers = false});
    REQUIRE(facts.guests.size() == 2);
    CHECK(facts.guests["bpm01"].problem == "");
    CHECK(facts.guests["bpm01"].lease_holder == "elsewhere");
    CHECK(facts.guests["bpm02"].lease_holder == "");
}

TEST_CASE("paths of all kinds, more than are looked at side by side") {
    std::set<std::string> paths = {"/hung", "/stale"};
    for (int i = 0; i < 40; ++i) paths.insert("/fine" + std::to_string(i));
    auto facts = probe_paths(paths, 200ms, [](const char* path) {
        if (path[1] == 'h') ::pause();
        return path[1] == 's' ? ESTALE : 0;
    });
    CHECK(facts.size() == 42);
    CHECK(facts["/hung"].state == PathFact::State::hung);
    CHECK(facts["/stale"].state == PathFact::State::stale);
    CHECK(facts["/fine39"].state == PathFact::State::ok);
}
