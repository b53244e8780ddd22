#include <fstream>

#include "catch.hpp"
#include "clara/base/error.hpp"
#include "clara/spec/site.hpp"
#include "source_dir.hpp"
#include "temp_dir.hpp"

using namespace clara;
using Catch::Matchers::Contains;

namespace {

Site read(const std::string& text) {
    TempDir dir;
    std::ofstream(dir / "site.yaml") << text;
    return read_site(dir / "site.yaml");
}

}  // namespace

TEST_CASE("without a file the built-in site works") {
    Site site = default_site();
    CHECK(site.network("").bridge == "clarabr0");
    CHECK(site.network("controls").first.str() == "10.87.0.11");
    CHECK(site.pool("").path == "/var/lib/clara");
    CHECK(site.pool("/var/lib/clara").name == "default");
    CHECK_THROWS_AS(site.network("office"), Error);
    CHECK(site.template_path.front() == "/etc/clara/templates");
    CHECK(site.template_path.at(1) == source_dir() + "/templates");
}

TEST_CASE("a site file replaces what it names and leaves the rest") {
    Site site = read(R"(
networks:
  - {name: ring, bridge: br-ring, address: 10.1.0.1/16, gateway: 10.1.0.254, managed: no}
  - {name: lab, bridge: br-lab, address: 10.2.0.1/24, first: 10.2.0.50, last: 10.2.0.60}
templates: [/srv/templates]
arp-wait: 50ms
idmap: {base: 200000}
)");
    CHECK(site.network("").name == "ring");
    CHECK_FALSE(site.network("").managed);
    CHECK(site.network("").first.str() == "10.1.0.1");
    CHECK(site.network("").last.str() == "10.1.255.254");
    CHECK(site.network("lab").last.str() == "10.2.0.60");
    CHECK(site.template_path.front() == "/srv/templates");
    CHECK(site.template_path.back() == "/usr/share/clara/templates");
    CHECK(site.arp_wait.count() == 50);
    CHECK(site.idmap_base == 200000);
    CHECK(site.idmap_count == 65536);
    CHECK(site.pool("").path == "/var/lib/clara");
}

TEST_CASE("an empty site file is the built-in site") {
    CHECK(read("").network("").bridge == "clarabr0");
}

TEST_CASE("the problems of a site file are told together") {
    try {
        read(R"(
netwroks: []
pools: [{name: a, path: rel}]
run-dir: 5
)");
        FAIL("no error");
    } catch (const Error& e) {
        CHECK_THAT(e.message(), Contains("site.yaml:2:1: unknown key 'netwroks'; did you mean 'networks'?"));
        CHECK_THAT(e.message(), Contains("site.yaml:3:25: pools.path: expected an absolute path"));
        CHECK_THAT(e.message(), Contains("site.yaml:4:10: run-dir"));
    }
}

TEST_CASE("networks that cannot be are refused") {
    auto bad = [](const std::string& keys) {
        CHECK_THROWS_AS(read("networks: [{name: n, bridge: b, address: " + keys + "}]"), Error);
    };
    bad("10.0.0.1/31");
    bad("10.0.0.0/24");
    bad("10.0.0.1/24, first: 10.0.1.5");
    bad("10.0.0.1/24, first: 10.0.0.9, last: 10.0.0.5");
    bad("10.0.0.1/24, gateway: 10.0.1.1");
    CHECK_THROWS_AS(read("networks: [{name: n, bridge: a-name-too-long-0, address: 10.0.0.1/24}]"), Error);
    CHECK_THROWS_AS(read("networks: []"), Error);
    CHECK_THROWS_AS(read("pools: [{name: a, path: /a}, {name: a, path: /b}]"), Error);
}
