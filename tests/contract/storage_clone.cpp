// Guests that are copies: of disks of any kind, whole or linked to an image.
#include <filesystem>

#include "catch.hpp"
#include "clara/drivers/disks/guest_disk.hpp"
#include "clara/drivers/storage/fetched.hpp"
#include "clone_pool.hpp"
#include "guest_disk_maker.hpp"

using namespace clara;

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
