#include "clara/drivers/host_facts.hpp"

#include <unistd.h>

#include <cerrno>

#include "catch.hpp"
#include "clara/base/files.hpp"
#include "clara/drivers/network/bridge.hpp"
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
    CHECK(facts.root == (::geteuid() == 0));
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
