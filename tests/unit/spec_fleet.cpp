#include <fstream>

#include "catch.hpp"
#include "clara/base/error.hpp"
#include "clara/spec/template.hpp"
#include "temp_dir.hpp"

using namespace clara;
using Catch::Matchers::Contains;

namespace {

std::vector<Request> read(const TempDir& dir, const std::string& text) {
    std::ofstream(dir / "iocs.yaml") << text;
    return read_fleet(dir / "iocs.yaml");
}

}  // namespace

TEST_CASE("a fleet's entries take the defaults and expand their ranges") {
    TempDir dir;
    auto fleet = read(dir, R"(
defaults:
  template: soft-ioc
  network: ring
  set: {db: common.db, prefix: "X:"}
iocs:
  - name: bpm[09-10]
  - name: magnets
    template: ./own.yaml
    address: 10.87.0.40
    set: {db: "${name}.db", limits.memory: 64M}
)");
    REQUIRE(fleet.size() == 3);
    CHECK(fleet[0].name == "bpm09");
    CHECK(fleet[1].name == "bpm10");
    CHECK(fleet[1].template_name == "soft-ioc");
    CHECK(fleet[1].address == "auto");
    CHECK(fleet[1].network == "ring");
    CHECK(fleet[2].template_name == dir / "own.yaml");
    CHECK(fleet[2].address == "10.87.0.40");
    CHECK(fleet[2].set == std::vector<std::pair<std::string, std::string>>{
                              {"db", "${name}.db"}, {"limits.memory", "64M"}, {"prefix", "X:"}});
    CHECK(fleet[2].where == dir / "iocs.yaml:8:5");
    CHECK(fleet[2].folder == dir.path());
}

TEST_CASE("the paths of a fleet count from its folder") {
    TempDir dir;
    std::ofstream(dir / "m1.db") << "";
    auto fleet = read(dir, "iocs: [{name: m1, template: soft-ioc, set: {db: '${name}.db'}}]\n");
    CHECK(resolve(fleet.at(0), default_site()).ioc->db.at(0).file == dir / "m1.db");
    fleet.at(0).set = {{"db", "m2.db"}};
    CHECK_THROWS_WITH(resolve(fleet.at(0), default_site()),
                      Contains("iocs.yaml:1:8: set db: ") && Contains("m2.db: no such file"));
}

TEST_CASE("all problems of a fleet are told in one go") {
    TempDir dir;
    try {
        read(dir, R"(
iocs:
  - name: a[1-2]
    template: t
    address: 10.0.0.1
  - name: a1
    template: t
  - name: b[2-1]
    template: t
  - name: UP
    template: t
  - name: c
)");
        FAIL("no error");
    } catch (const Error& e) {
        CHECK_THAT(e.message(), Contains("iocs.yaml:3:5: address: one address cannot serve a range"));
        CHECK_THAT(e.message(), Contains("iocs.yaml:6:5: name 'a1' is there already, at "));
        CHECK_THAT(e.message(), Contains("iocs.yaml:8:5: malformed range 'b[2-1]'"));
        CHECK_THAT(e.message(), Contains("iocs.yaml:10:5: name 'UP': a name consists of"));
        CHECK_THAT(e.message(), Contains("iocs.yaml:12:5: missing key 'template'"));
    }
    CHECK_THROWS_WITH(read(dir, "iocs: [{nmae: a}]\nioc: x\n"),
                      Contains("did you mean 'iocs.name'?") && Contains("unknown key 'ioc'"));
    CHECK_THROWS_WITH(read(dir, ""), Contains("missing key 'iocs'"));
    CHECK_THROWS_WITH(read(dir, "iocs: [{name: 'a[1-9000]', template: t}, {name: 'b[1-9000]', template: t}]"),
                      Contains("more than 10000 IOCs"));
}
