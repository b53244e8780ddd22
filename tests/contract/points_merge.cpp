// Restore points are removed, and those that stand on them stay what they are. By QEMU's own eyes.
#include <sys/wait.h>

#include "catch.hpp"
#include "points_world.hpp"

using namespace clara;
using Catch::Matchers::Contains;

namespace {

/// Five points, each standing on the one before; the disk grows in the middle.
struct Chain : PointsWorld {
    std::vector<std::string> names;
    RawDisk raw;
    explicit Chain(std::uint64_t seed) : raw(beside("now.raw"), (6 << 20) + 4608) {
        Dice dice(seed);
        raw.change(dice, 30);
        for (unsigned i = 0; i < 5; ++i) {
            if (i == 2) raw.resize(raw.size() + 700 * 512);
            names.push_back(make(i + 1, i ? names.back() : "", {{"disk.qcow2", &raw, "vda"}}));
            raw.change(dice, 6);
        }
    }
    void remove(const std::string& name) { points::remove_point(store(), guest, name, points()); }
    std::vector<std::string> left() const {
        auto all = list_dir(pool::backups(store(), guest));
        std::erase(all, ".lock");
        return all;
    }
    /// The same in a process that is killed at that step of the merge.
    void remove_killed(const std::string& name, const char* step, bool exchange) {
        const pid_t child = ::fork();
        if (child == 0) {
            ::setenv("CLARA_TEST_MERGE", step, 1);
            if (!exchange) ::setenv("CLARA_TEST_NO_EXCHANGE", "1", 1);
            remove(name);
            ::_exit(0);
        }
        int status = 0;
        REQUIRE(::waitpid(child, &status, 0) == child);
        REQUIRE(WIFSIGNALED(status));
        REQUIRE(WTERMSIG(status) == SIGKILL);
    }
};

std::vector<std::string> without(std::vector<std::string> names, const std::string& gone) {
    std::erase(names, gone);
    return names;
}

}  // namespace

TEST_CASE("points: each of a chain can be removed") {
    const auto gone = GENERATE(0U, 1U, 2U, 3U, 4U);
    Chain chain(11 + gone);
    chain.check_all();
    chain.remove(chain.names[gone]);
    CHECK(chain.left() == without(chain.names, chain.names[gone]));
    chain.check_all(chain.names[gone]);
    if (gone < 4) CHECK(chain.info(chain.names[gone + 1]).parent == (gone ? chain.names[gone - 1] : ""));
}

TEST_CASE("points: one after the other is removed, until one is left") {
    Chain chain(5);
    for (const unsigned gone : {1U, 0U, 3U, 2U}) {
        chain.remove(chain.names[gone]);
        for (const auto& point : chain.points()) CHECK(point.problem.empty());
    }
    CHECK(chain.left() == std::vector<std::string>{chain.names[4]});
    CHECK(chain.info(chain.names[4]).parent.empty());
    CHECK(same_disks(chain.beside(chain.names[4] + "-disk.qcow2.raw"),
                     chain.folder(chain.names[4]) + "/disk.qcow2"));
    CHECK(run({"qemu-img", "check", chain.folder(chain.names[4]) + "/disk.qcow2"}).status == 0);
}

TEST_CASE("points: two that stand on one are both given what they need of it") {
    Chain chain(21);
    Dice dice(3);
    chain.raw.change(dice, 8);
    const auto other = chain.make(6, chain.names[1], {{"disk.qcow2", &chain.raw, "vda"}});
    chain.remove(chain.names[1]);
    chain.check_all(chain.names[1]);
    CHECK(chain.info(other).parent == chain.names[0]);
    CHECK(chain.info(chain.names[2]).parent == chain.names[0]);
}

TEST_CASE("points: disks that come and go, and whose target is told by one of them only") {
    PointsWorld world;
    Dice dice(8);
    RawDisk one(world.beside("one.raw"), 3 << 20), two(world.beside("two.raw"), 2 << 20);
    one.change(dice, 10), two.change(dice, 10);
    const auto first = world.make(1, "", {{"disk.qcow2", &one, "vda"}, {"disk2.qcow2", &two, "vdb"}});
    one.change(dice, 3);
    const auto off = world.make(2, first, {{"disk.qcow2", &one, ""}});  // while the machine is off
    one.change(dice, 3), two.change(dice, 3);
    const auto on = world.make(3, off, {{"disk.qcow2", &one, "vda"}, {"disk2.qcow2", &two, "vdb"}});
    world.check_all();
    const bool first_goes = GENERATE(true, false);
    const std::string gone = first_goes ? first : off;
    points::remove_point(world.store(), world.guest, gone, world.points());
    world.check_all(gone);
    CHECK(world.info(on).disks.size() == 2);
}

TEST_CASE("points: what was cut off a disk does not come back when it grows") {
    PointsWorld world;
    Dice dice(9);
    RawDisk raw(world.beside("now.raw"), 4 << 20);
    raw.write(0, dice.words(4 << 20));
    std::vector<std::string> names{world.make(1, "", {{"disk.qcow2", &raw, "vda"}})};
    raw.resize((2 << 20) + 512);
    names.push_back(world.make(2, names.back(), {{"disk.qcow2", &raw, "vda"}}));
    raw.resize(4 << 20);
    names.push_back(world.make(3, names.back(), {{"disk.qcow2", &raw, "vda"}}));
    world.check_all();
    const auto gone = GENERATE(0U, 1U);
    points::remove_point(world.store(), world.guest, names[gone], world.points());
    world.check_all(names[gone]);
}

TEST_CASE("points: a kill in the middle of a merge loses nothing") {
    const std::string step = GENERATE("1", "2", "3");
    const bool exchange = GENERATE(true, false);
    INFO(step << (exchange ? "" : ", two renames"));
    Chain chain(31);
    const std::string gone = chain.names[1];
    chain.remove_killed(gone, step.c_str(), exchange);
    // Between two renames the point is there under its other name only, until somebody clears up.
    if (exchange || step != "3") chain.check_all();
    points::open_clean_points(chain.store(), chain.guest);
    CHECK(chain.left() == chain.names);
    chain.check_all();
    chain.remove(gone);
    CHECK(chain.left() == without(chain.names, gone));
    chain.check_all(gone);
}

TEST_CASE("points: what a killed write has left in a point does not get into its manifest") {
    Chain chain(41);
    write_file(chain.folder(chain.names[2]) + "/.state.json.partial", "{");
    chain.remove(chain.names[1]);
    chain.check_all(chain.names[1]);
    CHECK_FALSE(exists(chain.folder(chain.names[2]) + "/.state.json.partial"));
}

TEST_CASE("points: the leftover of a killed merge does not become the point that was removed") {
    Chain chain(43);
    make_dirs(pool::backups(chain.store(), chain.guest) + "/." + chain.names[4] + ".merged");
    make_dirs(pool::backups(chain.store(), chain.guest) + "/." + chain.names[4] + ".removed/full");
    chain.remove(chain.names[4]);
    points::open_clean_points(chain.store(), chain.guest);
    CHECK(chain.left() == without(chain.names, chain.names[4]));
}

TEST_CASE("points: damage is not merged, and both stay as they are") {
    Chain chain(47);
    const std::string parent = chain.folder(chain.names[1]), child = chain.folder(chain.names[2]);
    // A cluster of the parent that the child needs.
    const Fd parent_dir = open_dir(parent), child_dir = open_dir(child);
    const auto disk = points::open_packed(parent_dir.get(), "disk.qcow2");
    const points::Sums newer = points::load_sums(child_dir.get(), "disk.qcow2");
    const auto needed = std::find_if(
        disk.clusters().begin(), disk.clusters().end(),
        [&](const auto& cluster) { return cluster.length > 0 && !points::find(newer, cluster.index); });
    REQUIRE(needed != disk.clusters().end());
    const auto place = static_cast<std::size_t>(needed - disk.clusters().begin());
    const std::vector<std::pair<std::string, std::size_t>> places{
        {parent + "/disk.qcow2", needed->offset + 10},
        {parent + "/disk.sums", 24 + place * 40 + 3},
        {parent + "/disk.sums", 24 + place * 40 + 30},
        {child + "/disk.qcow2", points::cluster_size + 20},
        {child + "/disk.sums", 24 + 8},
        {child + "/guest.yaml", 3}};
    const auto& [path, at] = places[GENERATE(range(0U, 6U))];
    INFO(path << " " << at);
    std::string bytes = *read_file(path);
    bytes[at] ^= 4;
    write_file(path, bytes);
    CHECK_THROWS_WITH(chain.remove(chain.names[1]), Contains("merged with"));
    CHECK(chain.left() == chain.names);
    CHECK(*read_file(path) == bytes);
}

TEST_CASE("points: nothing is taken from under one whose manifest is damaged") {
    Chain chain(53);
    const std::string manifest = chain.folder(chain.names[2]) + "/manifest.json";
    write_file(manifest, read_file(manifest)->substr(1));
    CHECK(refused([&] { chain.remove(chain.names[1]); }));  // it stands on that
    CHECK(refused([&] { chain.remove(chain.names[2]); }));  // and the next one on it
    CHECK(chain.left() == chain.names);
    chain.remove(chain.names[4]);
    chain.remove(chain.names[3]);
    chain.remove(chain.names[2]);
    CHECK(chain.left() == std::vector<std::string>{chain.names[0], chain.names[1]});
}

TEST_CASE("points: with a damaged state.json a point is given what it needs all the same") {
    Chain chain(59);
    write_file(chain.folder(chain.names[2]) + "/state.json", "{}");
    chain.remove(chain.names[1]);
    CHECK(same_disks(chain.beside(chain.names[2] + "-disk.qcow2.raw"),
                     chain.folder(chain.names[2]) + "/disk.qcow2"));
    CHECK(same_disks(chain.beside(chain.names[4] + "-disk.qcow2.raw"),
                     chain.folder(chain.names[4]) + "/disk.qcow2"));
}
