// Which points look like mass corruption beside the last good one.
#include "catch.hpp"
#include "clara/ops/shape.hpp"

using namespace clara;

namespace {

constexpr std::uint64_t mib = 1 << 20;

PointInfo point(std::uint64_t data, std::uint64_t changed, std::uint64_t dense, const std::string& parent) {
    PointInfo info{.name = "20261125T063300Z", .parent = parent};
    info.disks = {{.file = "disk.qcow2", .data = data * mib, .changed = changed * mib, .dense = dense * mib}};
    return info;
}

}  // namespace

TEST_CASE("mass corruption is told from work") {
    const PointInfo before = point(600, 600, 60, "");
    auto judged = [&](const PointInfo& now) { return judge_shape(now, before).size(); };
    CHECK(judged(point(600, 20, 2, before.name)) == 0);
    CHECK(judged(point(900, 320, 30, before.name)) == 0);   // much was added
    CHECK(judged(point(600, 400, 40, before.name)) == 1);   // most of it is other
    CHECK(judged(point(600, 200, 190, before.name)) == 1);  // encrypted, not even half of it yet
    CHECK(judged(point(600, 600, 590, before.name)) == 2);
    CHECK(judged(point(20, 0, 0, before.name)) == 1);  // nearly all is gone
    CHECK(judged(point(20, 20, 2, "")) == 1);          // a full one shows it as well
    CHECK(judged(point(500, 500, 50, "")) == 0);
}

TEST_CASE("small guests and those that were always dense are not judged by shares") {
    CHECK(judge_shape(point(3, 3, 0, "p"), point(3, 3, 0, "")).empty());
    CHECK(judge_shape(point(600, 200, 190, "p"), point(600, 600, 500, "")).empty());
    CHECK(judge_shape(point(1, 1, 0, ""), point(30, 30, 0, "")).empty());
}
