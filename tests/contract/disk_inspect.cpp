// What is told of a disk before it is copied, and that it is not touched.
#include <filesystem>

#include "catch.hpp"
#include "clara/drivers/disks/disk_hold.hpp"
#include "clara/drivers/disks/inspect.hpp"
#include "clara/drivers/disks/qemu_img.hpp"
#include "clara/drivers/storage/mount.hpp"
#include "disk_tools.hpp"
#include "guest_disk_maker.hpp"
#include "temp_dir.hpp"

using namespace clara;

namespace {

std::string content(const std::string& path) {
    return run_ok({"sha256sum", path}).substr(0, 64);
}

/// With the configuration of a server, and Debian's way to make an initramfs.
void add_server(const std::string& tree) {
    make_dirs(tree + "/etc/network");
    make_dirs(tree + "/etc/initramfs-tools");
    make_dirs(tree + "/boot");
    write_file(tree + "/etc/network/interfaces", "iface eno1 inet static\n  address 192.168.7.20/24\n");
    write_file(tree + "/usr/sbin/ifup", "", 0755);
    write_file(tree + "/etc/initramfs-tools/initramfs.conf", "MODULES=most\n");
    write_file(tree + "/boot/initrd.img-6.1", "");
    for (const char* folder : {"block", "virtio"})
        make_dirs(tree + "/usr/lib/modules/6.1/kernel/drivers/" + folder);
    write_file(tree + "/usr/lib/modules/6.1/kernel/drivers/block/virtio_blk.ko", "");
    write_file(tree + "/usr/lib/modules/6.1/kernel/drivers/virtio/virtio_pci.ko", "");
}

}  // namespace

TEST_CASE("inspect: a server is known in any format, and its disk stays as it is") {
    if (!is_root()) return;
    TempDir dir;
    GuestDiskMaker maker(dir);
    maker.make_tree("tree");
    add_server(dir / "tree");
    maker.format_ext4("root.ext4", "tree", "64M");
    maker.assemble({"root.ext4"});
    for (const std::string format : {"raw", "qcow2", "vmdk", "vdi"}) {
        INFO(format);
        const std::string disk = dir / ("disk." + format);
        if (format != "qcow2") qemu_img({"convert", "-f", "raw", "-O", format, dir / "whole.raw", disk});
        const std::string before = content(disk);
        for (bool foreign : {true, false}) {
            const SourceFact fact = inspect_source(disk, format, foreign);
            CHECK(fact.system == "linux");
            CHECK(fact.distribution == "debian");
            CHECK(fact.name == "Debian GNU/Linux 12 (bookworm)");
            CHECK(fact.obstacle.empty());
            CHECK(fact.virtio);
            CHECK(fact.firmware == "bios");
            CHECK(fact.hostname == "source");
            CHECK(fact.address == Ipv4::parse("192.168.7.20"));
            CHECK(fact.image.empty());
            CHECK(fact.size == std::filesystem::file_size(dir / "whole.raw"));
            CHECK(fact.needs > 1 << 20);
            CHECK(fact.needs <= fact.size + (2 << 20));
        }
        CHECK(content(disk) == before);
    }
}

TEST_CASE("inspect: a journal is replayed beside the disk") {
    if (!is_root()) return;
    TempDir dir;
    GuestDiskMaker maker(dir);
    const std::string disk = maker.dirty_disk(), before = content(disk), base = content(dir / "base.qcow2");
    const SourceFact fact = inspect_source(disk, "qcow2", false);
    CHECK(fact.system == "linux");
    CHECK(fact.hostname == "source");
    CHECK_FALSE(fact.virtio);  // there are no kernels
    CHECK(content(disk) == before);
    CHECK(content(dir / "base.qcow2") == base);
}

TEST_CASE("inspect: the image that a guest's disk is linked to is named") {
    if (!is_root()) return;
    TempDir dir;
    GuestDiskMaker maker(dir);
    maker.linux_disk();
    make_dirs(dir / "images/a@0123456789ab");
    make_dirs(dir / "guests/g");
    std::filesystem::copy_file(dir / "base.qcow2", dir / "images/a@0123456789ab/disk.qcow2");
    create_linked(open_dir(dir / "guests/g").get(), "disk.qcow2", "../../images/a@0123456789ab/disk.qcow2",
                  0);
    CHECK(inspect_source(dir / "guests/g/disk.qcow2", "qcow2", false).image == "a@0123456789ab");
    CHECK(
        refused([&] { inspect_source(dir / "guests/g/disk.qcow2", "qcow2", true); }));  // it leads elsewhere
}

TEST_CASE("inspect: UEFI's partition is found") {
    if (!is_root()) return;
    TempDir dir;
    GuestDiskMaker maker(dir);
    maker.make_tree("tree");
    maker.format_ext4("root.ext4", "tree", "64M");
    run_ok({"truncate", "-s", "40M", dir / "efi.vfat"});
    run_ok({"/sbin/mkfs.vfat", dir / "efi.vfat"});
    maker.assemble({"efi.vfat", "root.ext4"});
    const std::string raw = dir / "whole.raw";
    CHECK(inspect_source(raw, "raw", true).firmware == "bios");
    run_ok({"/sbin/sfdisk", "-q", "--no-reread", "--part-type", raw, "1",
            "C12A7328-F81F-11D2-BA4B-00A0C93EC93B"});
    CHECK(inspect_source(raw, "raw", true).firmware == "uefi");
    run_ok({"/sbin/sfdisk", "-q", "--no-reread", "--part-type", raw, "1",
            "21686148-6449-6E6F-744E-656564454649"});
    CHECK(inspect_source(raw, "raw", true).firmware == "bios");
}

TEST_CASE("inspect: what cannot be edited is told, what is in use is left alone") {
    if (!is_root()) return;
    TempDir dir;
    GuestDiskMaker maker(dir);
    const SourceFact windows = inspect_source(maker.other_disk("ntfs"), "qcow2", false);
    CHECK(windows.system == "windows");
    CHECK_FALSE(windows.obstacle.empty());
    CHECK_FALSE(windows.virtio);
    CHECK(inspect_source(maker.other_disk("none"), "qcow2", false).system == "unknown");

    const std::string disk = maker.linux_disk();
    {
        QemuIo running(disk);
        CHECK(kind_of([&] { inspect_source(disk, "qcow2", false); }) == ErrorKind::busy);
    }
    {
        QemuIo running(dir / "base.qcow2");
        CHECK_THROWS_WITH(inspect_source(disk, "qcow2", false), !Catch::Contains("/proc/"));
    }
    CHECK_NOTHROW(inspect_source(disk, "qcow2", false));
    std::filesystem::resize_file(dir / "base.qcow2", 1 << 20);
    CHECK(refused([&] { inspect_source(dir / "base.qcow2", "qcow2", true); }));
    CHECK_THROWS_WITH(inspect_source(dir / "none", "raw", true), Catch::Contains("none is not there"));
}

TEST_CASE("hold: nobody writes to a disk that is held, and readers share it") {
    TempDir dir;
    qemu_img({"create", "-q", "-f", "qcow2", dir / "a.qcow2", "8M"});
    auto writes = [&] {
        return run({"qemu-io", "-f", "qcow2", "-c", "write 0 512", dir / "a.qcow2"}).status == 0;
    };
    {
        const Fd held = hold_disk(dir / "a.qcow2"), again = hold_disk(dir / "a.qcow2");
        CHECK_FALSE(writes());
        CHECK(disk_info(dir / "a.qcow2", "qcow2").size == 8 << 20);
        CHECK(kind_of([&] { open_disk(open_dir(dir.path()).get(), "a.qcow2"); }) == ErrorKind::busy);
    }
    CHECK(writes());
    {
        const Fd ours = open_disk(open_dir(dir.path()).get(), "a.qcow2");
        CHECK(kind_of([&] { hold_disk(dir / "a.qcow2"); }) == ErrorKind::busy);
    }
    CHECK_THROWS_WITH(hold_disk(dir / "none"), Catch::Contains("none"));
    CHECK(refused([&] { hold_disk(dir.path()); }));
}
