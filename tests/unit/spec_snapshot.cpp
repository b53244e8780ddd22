#include "catch.hpp"
#include "clara/base/error.hpp"
#include "clara/spec/snapshot.hpp"

using namespace clara;
using Catch::Matchers::Contains;

TEST_CASE("a snapshot.yaml is read as it was written") {
    const SnapshotInfo info{.name = "at-20261123-083932",
                            .time = "2026-11-23T08:39:32Z",
                            .comment = "before: the 'new' #database",
                            .state = "running",
                            .who = "alice (sudo) from 10.1.2.3, pid 412",
                            .keep = true,
                            .size = 1234567};
    const SnapshotInfo back = read_snapshot_info(write_snapshot_info(info), "snapshot.yaml");
    CHECK(back.name == info.name);
    CHECK(back.time == info.time);
    CHECK(back.comment == info.comment);
    CHECK(back.state == info.state);
    CHECK(back.who == info.who);
    CHECK(back.keep == info.keep);
    CHECK(back.size == info.size);
}

TEST_CASE("a snapshot.yaml that lies is refused") {
    CHECK_THROWS_WITH(read_snapshot_info("name: a\n", "s.yaml"), Contains("missing key 'time'"));
    CHECK_THROWS_WITH(read_snapshot_info("{name: ../x, time: t}", "s.yaml"), Contains("s.yaml:1"));
    CHECK_THROWS_WITH(read_snapshot_info("{name: a, time: t, sise: 3}", "s.yaml"), Contains("'size'"));
    CHECK_THROWS_AS(read_snapshot_info("{", "s.yaml"), Error);
}

TEST_CASE("names of snapshots are those of guests, without what rollbacks use") {
    CHECK(snapshot_name("2026-11-23T08:39:32Z") == "at-20261123-083932");
    CHECK(snapshot_name_problem(snapshot_name("2026-11-23T08:39:32Z")).empty());
    CHECK(is_rollback_name("before-rollback"));
    CHECK(is_rollback_name("before-rollback-2"));
    for (const char* bad : {"", "../x", "A", "a/b", ".partial", "before-rollback", "1st"})
        CHECK_FALSE(snapshot_name_problem(bad).empty());
}
