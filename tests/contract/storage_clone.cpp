// Guests that are copies: of disks of any kind, whole or linked to an image, or not at all.
#include <fcntl.h>
#include <sys/mount.h>
#include <sys/stat.h>
#include <sys/wait.h>

#include <filesystem>

#include "catch.hpp"
#include "clara/base/files.hpp"
#include "clara/drivers/disks/guest_disk.hpp"
#include "clara/drivers/disks/qemu_img.hpp"
#include "clara/drivers/storage/dir_storage.hpp"
#include "clara/drivers/storage/fetched.hpp"
#include "clara/drivers/storage/layout.hpp"
#include "clara/drivers/storage/mount.hpp"
#include "copy_tools.hpp"
#include "guest_disk_maker.hpp"
#include "temp_dir.hpp"

using namespace clara;

namespace {

struct ClonePool {
    TempDir dir;
    DirStorage storage;
    std::string path = dir / "pool";
    std::string partial = pool::guest(path, ".new.partial");

    CopyDisks copy(const std::string& source, const std::string& format) const {
        CopyDisks a{path, "new", "a test"};
        a.disks = {{.source = source, .format = format, .file = "disk.qcow2"}};
        return a;
    }
    std::string disk(const std::string& file = "disk.qcow2") const { return partial + "/" + file; }
    /// A kvm image with the content.
    std::string add_image(const std::string& id, const std::string& raw) const {
        make_dirs(path + "/images/" + id);
        qemu_img({"convert", "-f", "raw", "-O", "qcow2", raw, pool::image_disk(path, id)});
        return pool::image_disk(path, id);
    }
    /// A guest's disk on a file of the pool.
    std::string add_guest(const std::string& name, const std::string& backing) const {
        make_dirs(pool::guest(path, name));
        create_linked(open_dir(pool::guest(path, name)).get(), "disk.qcow2", backing, 0);
        return pool::guest(path, name) + "/disk.qcow2";
    }
    bool nothing_left() const { return list_dir(pool::guests(path)).empty(); }
};

std::uint64_t taken(const std::string& file) {
    struct stat st {};
    REQUIRE(::stat(file.c_str(), &st) == 0);
    return static_cast<std::uint64_t>(st.st_blocks) * 512;
}

bool same_content(const std::string& a, const std::string& b) {
    return run({"qemu-img", "compare", "-f", "qcow2", "-F", "qcow2", a, b}).status == 0;
}

}  // namespace

TEST_CASE("clone: a disk of any format becomes the guest's own") {
    ClonePool pool;
    const std::string raw = make_source(pool.dir / "source.raw");
    for (const std::string format : {"raw", "qcow2", "vmdk", "vdi"}) {
        INFO(format);
        const std::string source = pool.dir / ("in." + format);
        qemu_img({"convert", "-f", "raw", "-O", format, raw, source});
        CopyDisks a = pool.copy(source, format);
        a.disks[0].foreign = true;
        pool.storage.copy_disks(a);
        CHECK(same(raw, pool.disk()));
        CHECK((std::filesystem::status(pool.disk()).permissions() & std::filesystem::perms::all) ==
              (std::filesystem::perms::owner_read | std::filesystem::perms::owner_write));
        CHECK(hidden(pool.partial).empty());
        CHECK_THROWS_AS(pool.storage.copy_disks(a), StaleFacts);
        pool.storage.remove_partial(pool.path, "new");
        CHECK(pool.nothing_left());
    }
    make_dirs(pool::guest(pool.path, "new"));
    CHECK(refused([&] { pool.storage.copy_disks(pool.copy(raw, "raw")); }));
}

TEST_CASE("clone: several disks and UEFI's variables") {
    ClonePool pool;
    const std::string raw = make_source(pool.dir / "a.raw");
    qemu_img({"create", "-q", "-f", "qcow2", pool.dir / "b.qcow2", "8M"});
    write_file(pool.dir / "vars.fd", "variables");
    CopyDisks a = pool.copy(raw, "raw");
    a.disks.push_back({.source = pool.dir / "b.qcow2", .format = "qcow2", .file = "disk2.qcow2"});
    a.nvram = pool.dir / "vars.fd";
    SECTION("are copied together") {
        pool.storage.copy_disks(a);
        CHECK(list_dir(pool.partial) == std::vector<std::string>{"disk.qcow2", "disk2.qcow2", "nvram.fd"});
        CHECK(read_file(pool.partial + "/nvram.fd") == "variables");
        CHECK(same(raw, pool.disk()));
    }
    SECTION("one that is in use keeps all from being copied") {
        QemuIo running(pool.dir / "b.qcow2");
        CHECK(kind_of([&] { pool.storage.copy_disks(a); }) == ErrorKind::busy);
        CHECK(pool.nothing_left());
    }
    SECTION("of a machine that runs only the variables are copied here") {
        QemuIo running(pool.dir / "b.qcow2");
        a.domain = "running";
        pool.storage.copy_disks(a);
        CHECK(list_dir(pool.partial) == std::vector<std::string>{"nvram.fd"});
    }
    SECTION("that are none are refused") {
        a.nvram = pool.dir.path();
        CHECK(refused([&] { pool.storage.copy_disks(a); }));
        a.nvram = pool.dir / "none.fd";
        CHECK_THROWS_AS(pool.storage.copy_disks(a), Error);
        CHECK(pool.nothing_left());
    }
}

TEST_CASE("clone: a linked copy holds only what differs from its image") {
    ClonePool pool;
    const std::string raw = make_source(pool.dir / "source.raw"), id = "a@0123456789ab";
    const std::string image = pool.add_image(id, raw), link = pool::image_disk_link(id);
    auto copied = [&](const std::string& source, const std::string& format = "qcow2") {
        CopyDisks a = pool.copy(source, format);
        a.disks[0].image = id;
        pool.storage.copy_disks(a);
        CHECK(disk_info(pool.disk(), "qcow2").backing == link);
        CHECK(disk_info(pool.disk(), "qcow2").backing_format == "qcow2");
        CHECK(check_disk(pool.disk(), "qcow2").leaks == 0);
        return pool.disk();
    };
    SECTION("the image itself") {
        CHECK(same_content(copied(image), image));
        CHECK(taken(pool.disk()) <= MiB);
    }
    SECTION("a guest on it") {
        const std::string guest = pool.add_guest("old", link);
        qemu_io(guest, {"write -P 3 4M 1M", "write -z 5M 1M"});
        CHECK(same_content(copied(guest), guest));
        CHECK(taken(pool.disk()) < 3 * MiB);
    }
    SECTION("a guest that stands on it over another file") {
        make_dirs(pool::guest(pool.path, "old"));
        Fd folder = open_dir(pool::guest(pool.path, "old"));
        create_linked(folder.get(), "snap.qcow2", link, 0);
        qemu_io(pool::guest(pool.path, "old") + "/snap.qcow2", {"write -P 5 2M 1M"});
        create_linked(folder.get(), "disk.qcow2", "snap.qcow2", 0);
        const std::string guest = pool::guest(pool.path, "old") + "/disk.qcow2";
        qemu_io(guest, {"write -P 3 4M 1M"});
        CHECK(same_content(copied(guest), guest));
        CHECK(taken(pool.disk()) < 4 * MiB);
        CHECK(taken(pool.disk()) >= 2 * MiB);
    }
    SECTION("a disk that was copied before") {
        qemu_img({"convert", "-f", "qcow2", "-O", "qcow2", image, pool.dir / "flat.qcow2"});
        qemu_io(pool.dir / "flat.qcow2", {"write -P 3 4M 1M"});
        CHECK(same_content(copied(pool.dir / "flat.qcow2"), pool.dir / "flat.qcow2"));
        CHECK(taken(pool.disk()) < 3 * MiB);
    }
    SECTION("one that is larger") {
        const std::string guest = pool.add_guest("old", link);
        qemu_img({"resize", "-q", "-f", "qcow2", guest, "64M"});
        qemu_io(guest, {"write -P 3 40M 1M"});
        CHECK(same_content(copied(guest), guest));
        CHECK(disk_info(pool.disk(), "qcow2").size == 64 * MiB);
    }
}

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

TEST_CASE("clone: a fetched disk becomes the guest's without being copied") {
    if (!is_root()) return;
    ClonePool pool;
    GuestDiskMaker maker(pool.dir);
    maker.linux_disk();
    const std::string incoming = pool::incoming(pool.path), url = "ssh://root@old/dev/sda";
    make_dirs(incoming);
    qemu_img({"convert", "-f", "raw", "-O", "qcow2", pool.dir / "whole.raw", incoming + "/new.qcow2"});
    write_file(incoming + "/new.json", "{\"source\": \"" + url + "\", \"changed\": false}\n");
    CHECK(fetched::read(pool.path, "new")->whole);
    CHECK_NOTHROW(pool.storage.fetch_disk({pool.path, "new", url}));  // it is there: nobody is asked
    CHECK_THROWS_WITH(pool.storage.fetch_disk({pool.path, "new", "ssh://root@other/dev/sda"}),
                      Catch::Contains("is of ssh://root@old/dev/sda, not of ssh://root@other/dev/sda"));

    CopyDisks a = pool.copy(url, "qcow2");
    a.disks[0].fetched = true;
    pool.storage.copy_disks(a);
    CHECK(same_content(pool.disk(), incoming + "/new.qcow2"));
    GiveIdentity identity{pool.path, "new"};
    identity.identity = {"new", "0123456789abcdef0123456789abcdef", "", {}};
    pool.storage.give_identity(identity);
    {
        GuestDisk disk(pool.disk(), "qcow2");
        CHECK(disk.read("/etc/hostname") == "new\n");
        disk.close();
    }
    // Where the file system cannot share blocks, both are one file, and that is noted.
    CHECK(fetched::read(pool.path, "new")->changed == !same(pool.dir / "whole.raw", incoming + "/new.qcow2"));
    pool.storage.drop_fetched({pool.path, "new"});
    pool.storage.drop_fetched({pool.path, "new"});
    CHECK(list_dir(incoming).empty());
    CHECK_FALSE(fetched::read(pool.path, "new"));
    CHECK(exists(pool.disk()));
}

TEST_CASE("clone: a system that is not known is left alone") {
    if (!is_root()) return;
    ClonePool pool;
    GuestDiskMaker maker(pool.dir);
    for (const char* type : {"ntfs", "xfs", "none"}) {
        INFO(type);
        pool.storage.copy_disks(pool.copy(maker.other_disk(type), "qcow2"));
        GiveIdentity identity{pool.path, "new"};
        identity.identity = {"new", "0123456789abcdef0123456789abcdef", "", {}};
        CHECK_NOTHROW(pool.storage.give_identity(identity));
        CHECK(same(pool.dir / "whole.raw", pool.disk()));
        pool.storage.remove_partial(pool.path, "new");
    }
}
