// Copies that are not made: of what is in use, damaged or a lie; without room; killed.
#include <fcntl.h>
#include <signal.h>
#include <sys/wait.h>

#include <filesystem>

#include "catch.hpp"
#include "clara/drivers/storage/mount.hpp"
#include "clone_pool.hpp"
#include "guest_disk_maker.hpp"

using namespace clara;

TEST_CASE("clone: a disk that is not what it is said to be is refused") {
    ClonePool pool;
    auto why = [&](const std::string& source, const std::string& format) {
        CopyDisks a = pool.copy(source, format);
        a.disks[0].foreign = true;
        std::string text;
        try {
            pool.storage.copy_disks(a);
        } catch (const Error& e) {
            text = e.message();
        }
        CHECK(pool.nothing_left());
        return text;
    };
    qemu_img({"create", "-q", "-f", "qcow2", pool.dir / "short.qcow2", "64M"});
    qemu_io(pool.dir / "short.qcow2", {"write -P 1 0 8M"});
    std::filesystem::resize_file(pool.dir / "short.qcow2", 1 << 20);
    CHECK_THAT(why(pool.dir / "short.qcow2", "qcow2"), Catch::Contains("short.qcow2"));
    qemu_img({"create", "-q", "-f", "qcow2", pool.dir / "base.qcow2", "8M"});
    qemu_img({"create", "-q", "-f", "qcow2", "-b", "base.qcow2", "-F", "qcow2", pool.dir / "top.qcow2"});
    std::filesystem::remove(pool.dir / "base.qcow2");
    CHECK_THAT(why(pool.dir / "top.qcow2", "qcow2"), Catch::Contains("base.qcow2 is gone"));
    write_file(pool.dir / "text.qcow2", std::string(100000, 'x'));
    CHECK_THAT(why(pool.dir / "text.qcow2", "qcow2"), Catch::Contains("text.qcow2"));
    CHECK_THAT(why(pool.dir / "none.raw", "raw"), Catch::Contains("none.raw"));
    CHECK_THAT(why(pool.dir.path(), "raw"), Catch::Contains("neither a file nor a block device"));
}

TEST_CASE("clone: a header in raw data is data") {
    ClonePool pool;
    write_file(pool.dir / "secret", std::string(1 << 20, 's'));
    qemu_img({"create", "-q", "-f", "qcow2", "-u", "-b", pool.dir / "secret", "-F", "raw",
              pool.dir / "evil.raw", "1M"});
    std::filesystem::resize_file(pool.dir / "evil.raw", 1 << 20);
    CopyDisks a = pool.copy(pool.dir / "evil.raw", "raw");
    a.disks[0].foreign = true;
    pool.storage.copy_disks(a);
    CHECK(disk_info(pool.disk(), "qcow2").backing.empty());
    CHECK(same(pool.dir / "evil.raw", pool.disk()));
}

TEST_CASE("clone: a block device is claimed, one that is mounted is refused") {
    if (!is_root()) return;
    ClonePool pool;
    GuestDiskMaker maker(pool.dir);
    maker.make_tree("tree");
    maker.format_ext4("disk.raw", "tree", "16M");
    Fd file(::open((pool.dir / "disk.raw").c_str(), O_RDWR | O_CLOEXEC));
    const Loop loop = attach_loop(file.get(), LoopMode::read_write);
    SECTION("one that is free is copied") {
        pool.storage.copy_disks(pool.copy(loop.path, "raw"));
        CHECK(same(pool.dir / "disk.raw", pool.disk()));
        CHECK(taken(pool.disk()) < 8 * MiB);
    }
    SECTION("one that is mounted is not") {
        const Fd mount = new_mount("ext4", loop.path, {});
        try {
            pool.storage.copy_disks(pool.copy(loop.path, "raw"));
            FAIL("copied a mounted disk");
        } catch (const Error& e) {
            CHECK(e.kind() == ErrorKind::busy);
            CHECK_THAT(e.hint(), Catch::Contains("ssh://root@localhost" + loop.path));
        }
        CHECK(pool.nothing_left());
    }
}

TEST_CASE("clone: a file that is a loop device of the host is in use") {
    if (!is_root()) return;
    ClonePool pool;
    const std::string raw = make_source(pool.dir / "source.raw");
    Fd file(::open(raw.c_str(), O_RDWR | O_CLOEXEC));
    for (LoopMode mode : {LoopMode::read_write, LoopMode::read_only}) {
        const Loop loop = attach_loop(file.get(), mode);
        if (mode == LoopMode::read_only) {
            CHECK_NOTHROW(pool.storage.copy_disks(pool.copy(raw, "raw")));
            continue;
        }
        CHECK_THROWS_WITH(pool.storage.copy_disks(pool.copy(raw, "raw")),
                          Catch::Contains("source.raw is in use as " + loop.path));
        CHECK(pool.nothing_left());
    }
}

TEST_CASE("clone: missing room is told before, and met in the middle") {
    if (!is_root()) return;
    ClonePool pool;
    SmallPool small("22m");
    pool.path = small.path;
    pool.partial = pool::guest(pool.path, ".new.partial");
    const std::string raw = make_source(pool.dir / "source.raw");
    CopyDisks a = pool.copy(raw, "raw");
    a.disks.push_back({.source = pool.dir / "b.raw", .format = "raw", .file = "disk2.qcow2"});
    write_file(pool.dir / "b.raw", std::string(20 * MiB, 'b'));
    CHECK_THROWS_WITH(pool.storage.copy_disks(a), Catch::Contains("a copy of a test needs 40."));
    CHECK(pool.nothing_left());
    // Nobody knows how much of a device is holes.
    Fd file(::open((pool.dir / "b.raw").c_str(), O_RDWR | O_CLOEXEC));
    const Loop loop = attach_loop(file.get(), LoopMode::read_only);
    a.disks[1].source = loop.path;
    CHECK_THROWS_WITH(pool.storage.copy_disks(a), Catch::Contains("no space left"));
    CHECK(pool.nothing_left());
}

TEST_CASE("clone: one that is killed anywhere can be cleared and done again") {
    if (!is_root()) return;
    ClonePool pool;
    const std::string raw = make_source(pool.dir / "source.raw");
    for (int moment = 0; moment < 10; ++moment) {
        const pid_t child = ::fork();
        if (child == 0) {
            pool.storage.copy_disks(pool.copy(raw, "raw"));
            ::_exit(0);
        }
        ::usleep(static_cast<useconds_t>(moment) * 8000);
        ::kill(child, SIGKILL);
        ::waitpid(child, nullptr, 0);
        pool.storage.clear_leftover({pool.path, "new"});
        CHECK(pool.nothing_left());
    }
    pool.storage.copy_disks(pool.copy(raw, "raw"));
    CHECK(same(raw, pool.disk()));
}

TEST_CASE("clone: what a machine still writes to is cleared with its folder") {
    ClonePool pool;
    make_dirs(pool.partial);
    qemu_img({"create", "-q", "-f", "qcow2", pool.disk(), "8M"});
    QemuIo job(pool.disk());
    CHECK_NOTHROW(pool.storage.clear_leftover({pool.path, "new"}));
    CHECK(pool.nothing_left());
}
