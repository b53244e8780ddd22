#include "catch.hpp"
#include "clara/ops/source.hpp"
#include "fakes/guest_tree.hpp"

using namespace clara;

namespace {

const std::string block = "/kernel/drivers/block/virtio_blk.ko", bus = "/kernel/drivers/virtio/virtio_pci.ko";

/// Debian with modules and initramfs-tools.
FakeTree debian() {
    FakeTree tree;
    const std::string modules = "/lib/modules/6.1.0-28-amd64";
    tree.files = {{modules + "/modules.builtin", "kernel/drivers/net/loopback.ko\n"},
                  {modules + block, ""},
                  {modules + bus, ""},
                  {"/boot/initrd.img-6.1.0-28-amd64", ""},
                  {"/etc/initramfs-tools/initramfs.conf", "# comment\nMODULES=most\nCOMPRESS=zstd\n"}};
    return tree;
}

FakeTree redhat() {
    FakeTree tree;
    const std::string modules = "/usr/lib/modules/5.14.0-427.el9.x86_64";
    tree.files = {{modules + "/modules.builtin", ""},
                  {modules + block + ".xz", ""},
                  {modules + bus + ".xz", ""},
                  {"/boot/initramfs-5.14.0-427.el9.x86_64.img", ""},
                  {"/usr/bin/dracut", ""}};
    return tree;
}

}  // namespace

TEST_CASE("source: Debian's initramfs has all drivers unless it is told otherwise") {
    FakeTree tree = debian();
    CHECK(boots_from_virtio(tree));
    tree.files["/etc/initramfs-tools/conf.d/driver-policy"] = "MODULES=dep\n";
    CHECK_FALSE(boots_from_virtio(tree));
    tree.files["/etc/initramfs-tools/modules"] = "# disks\nvirtio_blk\nvirtio_pci\n";
    CHECK(boots_from_virtio(tree));
    tree.files.erase("/boot/initrd.img-6.1.0-28-amd64");
    CHECK_FALSE(boots_from_virtio(tree));
}

TEST_CASE("source: a kernel that has the drivers in itself needs no initramfs") {
    FakeTree tree;
    tree.files["/lib/modules/6.8.0/modules.builtin"] =
        "kernel/drivers/block/virtio_blk.ko\nkernel/drivers/virtio/virtio_pci.ko\n";
    CHECK(boots_from_virtio(tree));
    tree.files["/lib/modules/5.4.0/modules.builtin"] = "kernel/drivers/virtio/virtio_pci.ko\n";
    CHECK_FALSE(boots_from_virtio(tree));  // which of the two is started nobody knows
}

TEST_CASE("source: dracut's initramfs is for its host, unless it is told otherwise") {
    FakeTree tree = redhat();
    CHECK_FALSE(boots_from_virtio(tree));
    tree.files["/usr/lib/dracut/dracut.conf.d/02-generic-image.conf"] = "hostonly=\"no\"\n";
    CHECK(boots_from_virtio(tree));
    tree.files["/etc/dracut.conf.d/site.conf"] = "hostonly=yes\n";
    CHECK_FALSE(boots_from_virtio(tree));
    tree.files["/etc/dracut.conf.d/virtio.conf"] = "add_drivers+=\" virtio_blk virtio_pci \"\n";
    CHECK(boots_from_virtio(tree));
}

TEST_CASE("source: clara's own images boot from virtio, of an unknown system it is not sure") {
    FakeTree tree;
    CHECK_FALSE(boots_from_virtio(tree));
    tree.files["/etc/clara/init.json"] = "{}";
    CHECK(boots_from_virtio(tree));
}

TEST_CASE("source: name and address are those of the system's own configuration") {
    FakeTree tree = debian();
    tree.files["/etc/hostname"] = "build01.site.org\n";
    tree.files["/sbin/ifup"] = "";
    tree.files["/etc/network/interfaces"] = "iface eno1 inet static\n  address 192.168.7.20/24\n";
    SourceFact fact;
    read_linux(tree, fact);
    CHECK(fact.virtio);
    CHECK(fact.hostname == "build01.site.org");
    CHECK(fact.address == Ipv4::parse("192.168.7.20"));
    tree.files["/etc/network/interfaces"] = "iface eno1 inet dhcp\n";
    read_linux(tree, fact);
    CHECK_FALSE(fact.address);
}

TEST_CASE("source: the firmware is told by the partitions") {
    const Volume efi{.number = 1, .type = "vfat", .part_type = "c12a7328-f81f-11d2-ba4b-00a0c93ec93b"},
        grub{.number = 2, .part_type = "21686148-6449-6e6f-744e-656564454649"},
        root{.number = 3, .type = "ext4", .part_type = "0fc63daf-8483-4772-8e79-3d69d8477de4"},
        windows{.number = 3, .type = "ntfs", .part_type = "ebd0a0a2-b9e5-4433-87c0-68b6b72699c7"},
        mbr_efi{.number = 1, .type = "vfat", .part_type = "0xef"};
    CHECK(firmware_of({root}, true) == "bios");
    CHECK(firmware_of({root}, false) == "bios");
    CHECK(firmware_of({efi, root}, false) == "uefi");
    CHECK(firmware_of({efi, root}, true) == "bios");
    CHECK(firmware_of({efi, grub, root}, false) == "bios");
    CHECK(firmware_of({efi, windows}, true) == "uefi");
    CHECK(firmware_of({mbr_efi, root}, false) == "uefi");
    CHECK(firmware_of({mbr_efi, windows}, true) == "bios");
    CHECK(firmware_of({}, false) == "bios");
}
