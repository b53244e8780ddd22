// Snapshots in folders: kills, damage, a full pool, holes.
#include <sys/mount.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include "catch.hpp"
#include "clara/base/files.hpp"
#include "clara/base/process.hpp"
#include "clara/drivers/storage/dir_storage.hpp"
#include "clara/drivers/storage/index.hpp"
#include "clara/drivers/storage/layout.hpp"
#include "clara/drivers/storage/mount.hpp"
#include "clara/drivers/storage/snapshot_list.hpp"
#include "storage_steps.hpp"
#include "temp_dir.hpp"

using namespace clara;
using Catch::Matchers::Contains;

namespace {

bool is_root() {
    if (::geteuid() == 0) return true;
    WARN("needs root: not run");
    return false;
}

/// A pool with the guest bpm01.
struct World {
    std::string pool;
    DirStorage storage;
    explicit World(std::string folder) : pool(std::move(folder)) {
        add_image(pool);
        Steps steps(pool, "bpm01", 11);
        for (auto& step : steps.create()) step(storage);
    }
    std::string guest() const { return pool::guest(pool, "bpm01"); }
    static SnapshotInfo info(const std::string& name) {
        return {.name = name, .time = "2026-11-23T08:39:32Z", .state = "stopped"};
    }
    void take(const std::string& name) {
        storage.make_snapshot({.pool = pool, .name = "bpm01", .info = info(name)});
        storage.publish_snapshot({pool, "bpm01", name});
    }
    void roll_back(const std::string& to) {
        storage.prepare_rollback({pool, "bpm01", to, "before-rollback"});
        storage.switch_disk({pool, "bpm01", to, info("before-rollback")});
    }
    /// Bytes in the middle of the disk's inode table and folders become others.
    void damage(const std::string& disk) {
        run_ok({"dd", "if=/dev/urandom", "of=" + disk, "bs=1024", "seek=1", "count=600", "conv=notrunc",
                "status=none"});
    }
    std::vector<std::string> entries() const {
        return exists(guest() + "/snapshots") ? list_dir(guest() + "/snapshots") : std::vector<std::string>();
    }
};

long taken(const std::string& path) {
    struct stat st {};
    REQUIRE(::stat(path.c_str(), &st) == 0);
    return st.st_blocks / 2;
}

}  // namespace

TEST_CASE("snapshots: a copy is a sound file system, sparse, and tells what it takes") {
    if (!is_root()) return;
    TempDir dir;
    World world(dir / "pool");
    world.take("first");
    const std::string copy = world.guest() + "/snapshots/first/disk.raw";
    CHECK(run({"/sbin/e2fsck", "-fn", copy}).status == 0);
    CHECK(taken(copy) <= taken(world.guest() + "/disk.raw") + 64);
    const DiskFact disk = read_disk_fact(world.pool, "bpm01");
    REQUIRE(disk.snapshots.size() == 1);
    CHECK(disk.snapshots[0].exclusive == static_cast<std::uint64_t>(taken(copy)) * 1024);
    CHECK(disk.snapshots[0].info.size > 50000);
    CHECK(disk.taken > 50000);
    CHECK(load_snapshot_spec(world.pool, "bpm01", "first").name == "bpm01");
    // The pool's index does not take them for guests.
    CHECK(read_pool(world.pool).guests.size() == 1);
    CHECK(read_pool(world.pool).leftovers.empty());
}

TEST_CASE("snapshots: a damaged disk is told, and nothing is published") {
    if (!is_root()) return;
    TempDir dir;
    World world(dir / "pool");
    world.take("first");
    world.damage(world.guest() + "/disk.raw");
    CHECK_THROWS_WITH(world.take("second"), Contains("file system is damaged"));
    world.damage(world.guest() + "/snapshots/first/disk.raw");
    CHECK_THROWS_WITH(world.roll_back("first"), Contains("file system is damaged"));
    world.storage.remove_snapshot({world.pool, "bpm01", "second"});  // as its undo does
    CHECK(world.entries() == std::vector<std::string>{"first"});
}

TEST_CASE("snapshots: one that cannot be read is named with the reason") {
    if (!is_root()) return;
    TempDir dir;
    World world(dir / "pool");
    for (const char* name : {"a", "b", "c", "d"}) world.take(name);
    const std::string folder = world.guest() + "/snapshots/";
    write_file(folder + "a/snapshot.yaml", "name: x\n");
    REQUIRE(::unlink((folder + "b/snapshot.yaml").c_str()) == 0);
    REQUIRE(::unlink((folder + "c/disk.raw").c_str()) == 0);
    std::map<std::string, std::string> problems;
    for (const auto& one : read_disk_fact(world.pool, "bpm01").snapshots)
        problems[one.info.name] = one.problem;
    CHECK_THAT(problems["a"], Contains("missing key 'time'"));
    CHECK_THAT(problems["b"], Contains("snapshot.yaml is missing"));
    CHECK_THAT(problems["c"], Contains("disk.raw"));
    CHECK(problems["d"].empty());
}

TEST_CASE("snapshots: a full pool leaves nothing half made") {
    if (!is_root()) return;
    Fd mount = new_mount("tmpfs", "", {{"size", "3m"}});
    Fd root = open_dir_at(mount.get(), ".");
    World world("/proc/" + std::to_string(::getpid()) + "/fd/" + std::to_string(root.get()));
    int made = 0;
    try {
        for (; made < 100; ++made) world.take("s" + std::to_string(made));
    } catch (const Error& e) {
        CHECK_THAT(e.what(), Contains("no space left in pool"));
        world.storage.remove_snapshot({world.pool, "bpm01", "s" + std::to_string(made)});
    }
    CHECK(made > 2);
    CHECK(made < 100);
    CHECK(world.entries().size() == static_cast<std::size_t>(made));
    for (const auto& one : read_disk_fact(world.pool, "bpm01").snapshots) CHECK(one.problem.empty());
    CHECK_THROWS_WITH(world.roll_back("s0"), Contains("no space left in pool"));
    CHECK(world.entries().size() == static_cast<std::size_t>(made));
    CHECK(run({"/sbin/e2fsck", "-fn", world.guest() + "/disk.raw"}).status == 0);
}

TEST_CASE("snapshots: a run that is killed anywhere leaves whole ones, and the guest's disk is whole") {
    if (!is_root()) return;
    TempDir dir;
    World world(dir / "pool");
    world.take("first");
    for (int moment = 0; moment < 30; ++moment) {
        pid_t child = ::fork();
        if (child == 0) {
            try {
                world.take("more");
                world.roll_back("first");
                ::_exit(0);
            } catch (...) {
                ::_exit(1);
            }
        }
        ::usleep(static_cast<useconds_t>(moment) * 2000);  // both take some 30 ms, most of it fsync
        ::kill(child, SIGKILL);
        ::waitpid(child, nullptr, 0);
        INFO("killed after " << 2 * moment << " ms");
        for (const auto& one : read_disk_fact(world.pool, "bpm01").snapshots) {
            INFO(one.info.name);
            CHECK(one.problem.empty());
            CHECK(run({"/sbin/e2fsck", "-fn", world.guest() + "/snapshots/" + one.info.name + "/disk.raw"})
                      .status == 0);
        }
        CHECK(run({"/sbin/e2fsck", "-fn", world.guest() + "/disk.raw"}).status == 0);
        CHECK(load_guest(world.pool, "bpm01"));
        for (const char* name : {"more", "before-rollback"})
            world.storage.remove_snapshot({world.pool, "bpm01", name});
        // The next run clears what has a partial name.
        world.take("next");
        world.storage.remove_snapshot({world.pool, "bpm01", "next"});
        CHECK(world.entries() == std::vector<std::string>{"first"});
    }
}
