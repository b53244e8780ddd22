// Images for virtual machines: disks made of a tree, disk files from outside, and who stands on them.
#include <sys/stat.h>
#include <unistd.h>

#include "clara/base/files.hpp"
#include "clara/drivers/disks/disk_export.hpp"
#include "clara/drivers/disks/ext_files.hpp"
#include "clara/drivers/disks/qemu_img.hpp"
#include "clara/drivers/disks/volumes.hpp"
#include "clara/drivers/images/build.hpp"
#include "clara/drivers/images/machine_disk.hpp"
#include "clara/drivers/images/store.hpp"
#include "clara/drivers/images/uuid.hpp"
#include "disk_tools.hpp"
#include "temp_dir.hpp"

using namespace clara;

namespace {

ImageInfo import(const ImportSource& source, const std::string& name, const std::string& pool) {
    return make_image(plan_import(source, name), {.pool = pool}, [](const std::string&) {}).image;
}

std::string file_of(const std::string& pool, const ImageInfo& image) {
    return pool + "/images/" + image.id() + "/" + image.file();
}

std::string bytes_of_disk(const std::string& tree, const std::string& scratch, const std::string& file) {
    make_dirs(scratch);
    write_machine_disk(tree, uuid_for("test"), 96 << 20, false, scratch, file);
    return read_file(file, 64 << 20).value();
}

}  // namespace

TEST_CASE("a tree becomes a disk with GRUB, an EFI partition and an ext4 root, the same each time") {
    TempDir dir;
    const std::string tree = dir / "tree";
    make_dirs(tree + "/etc");
    make_dirs(tree + "/boot/grub");
    write_file(tree + "/boot/grub/grub.cfg", "set timeout=0\n");
    write_file(tree + "/etc/motd", "hello\n");
    REQUIRE(::chown((tree + "/etc/motd").c_str(), 1000, 1001) == 0);
    REQUIRE(::chmod((tree + "/etc/motd").c_str(), 04751) == 0);
    REQUIRE(::symlink("motd", (tree + "/etc/link").c_str()) == 0);

    const std::string first = bytes_of_disk(tree, dir / "s1", dir / "a.qcow2");
    ::sleep(1);  // the host's change times differ
    REQUIRE(::chmod((tree + "/etc/motd").c_str(), 04751) == 0);
    const std::string second = bytes_of_disk(tree, dir / "s2", dir / "b.qcow2");
    CHECK(first == second);

    DiskExport disk(dir / "a.qcow2", "qcow2");
    const auto volumes = find_volumes(disk.path());
    REQUIRE(volumes.size() == 2);
    CHECK(volumes[0].type == "vfat");
    CHECK(volumes[1].type == "ext4");
    CHECK(volumes[1].uuid == uuid_for("test"));
    CHECK(volumes[1].offset + volumes[1].size == 96 << 20);  // the last one: it can grow
    const ExtFiles files(disk.path(), volumes[1], ExtFiles::Access::read);
    CHECK(files.read("/etc/motd") == "hello\n");
    CHECK(files.link_target("/etc/link") == "motd");
    const auto motd = files.stat("/etc/motd");
    REQUIRE(motd);
    CHECK(motd->attributes.uid == 1000);
    CHECK(motd->attributes.gid == 1001);
    CHECK(motd->attributes.mode == 04751);
    CHECK(motd->attributes.mtime == 0);
    const std::string head = read_file(disk.path(), 128 << 20).value().substr(0, 4096);
    CHECK(head.substr(510, 2) == "\x55\xaa");
    CHECK(head.find("GRUB") < 512);
}

TEST_CASE("a tree that is larger than its disk is told with the way out") {
    TempDir dir;
    make_dirs(dir / "tree");
    make_dirs(dir / "scratch");
    write_file(dir / "tree/big", std::string(80 << 20, 'x'));
    try {
        write_machine_disk(dir / "tree", uuid_for("test"), 64 << 20, false, dir / "scratch", dir / "a.qcow2");
        FAIL("no error");
    } catch (const Error& e) {
        CHECK(e.hint().find("disk: 4G") != std::string::npos);
    }
}

TEST_CASE("disk files become images: known by their first bytes, or as they are said to be") {
    TempDir dir;
    const std::string pool = dir / "pool";
    qemu_img({"create", "-q", "-f", "qcow2", dir / "a.qcow2", "16M"});
    qemu_io(dir / "a.qcow2", {"write -P 7 1M 64k"});
    for (const char* format : {"vmdk", "vdi", "raw"})
        qemu_img(
            {"convert", "-f", "qcow2", "-O", format, dir / "a.qcow2", dir / (std::string("a.") + format)});
    for (const char* format : {"qcow2", "vmdk", "vdi", "raw"}) {
        INFO(format);
        const std::string file = dir / (std::string("a.") + format);
        const bool raw = format == std::string("raw");
        auto image = import({file, "", raw ? "raw" : "", ""}, std::string("from-") + format, pool);
        CHECK(image.kind == "kvm");
        CHECK(image.init == "system");
        CHECK(image.disk == 16 << 20);
        CHECK(disk_info(file_of(pool, image), "qcow2").backing.empty());
        qemu_img({"compare", "-q", "-f", "qcow2", "-F", "qcow2", dir / "a.qcow2", file_of(pool, image)});
        CHECK(verify_image(pool, image).empty());
    }
    CHECK(plan_import({dir / "a.raw", "kvm", "", ""}, "x").disk_format == "raw");
    CHECK(kind_of([&] { plan_import({dir / "a.raw", "lxc", "raw", ""}, "x"); }) == ErrorKind::usage);
    CHECK(kind_of([&] { plan_import({dir / "a.qcow2", "", "vdi", ""}, "x"); }) == ErrorKind::refused);
}

TEST_CASE("raw data that begins like a qcow2 file stays data") {
    TempDir dir;
    write_file(dir / "secret", std::string(1 << 20, 's'));
    qemu_img({"create", "-q", "-f", "qcow2", "-b", dir / "secret", "-F", "raw", dir / "trap.img", "1M"});
    auto image = import({dir / "trap.img", "", "raw", ""}, "trap", dir / "pool");
    CHECK(image.disk < 1 << 20);  // the header's length, not what it speaks of
    qemu_img({"compare", "-q", "-f", "raw", "-F", "qcow2", dir / "trap.img", file_of(dir / "pool", image)});
}

TEST_CASE("disk files that reach for others, or are not whole, are refused and nothing is made") {
    TempDir dir;
    const std::string pool = dir / "pool";
    make_dirs(dir / "in");
    qemu_img({"create", "-q", "-f", "raw", dir / "secret", "1M"});
    qemu_img({"create", "-q", "-f", "qcow2", "-b", dir / "secret", "-F", "raw", dir / "in/backing.qcow2"});
    qemu_img({"create", "-q", "-f", "qcow2", "-o", "data_file=" + (dir / "secret") + ",data_file_raw=on",
              dir / "in/data.qcow2", "1M"});
    write_file(dir / "in/flat.vmdk",
               "# Disk DescriptorFile\nversion=1\nCID=1\nparentCID=ffffffff\n"
               "createType=\"monolithicFlat\"\nRW 2048 FLAT \"" +
                   (dir / "secret") + "\" 0\n");
    qemu_img({"create", "-q", "-f", "qcow2", dir / "in/short.qcow2", "64M"});
    qemu_io(dir / "in/short.qcow2", {"write -P 1 0 8M"});
    REQUIRE(::truncate((dir / "in/short.qcow2").c_str(), 1 << 20) == 0);
    for (const char* name : {"backing.qcow2", "data.qcow2", "flat.vmdk", "short.qcow2"}) {
        INFO(name);
        CHECK(kind_of([&] {
                  import({dir / (std::string("in/") + name), "", "", ""}, "x", pool);
              }) == ErrorKind::refused);
    }
    CHECK(list_images(pool).images.empty());
}

TEST_CASE("one name for both kinds: told apart by kind; the disk of a guest keeps its image") {
    TempDir dir;
    const std::string pool = dir / "pool";
    make_dirs(dir / "root/etc");
    qemu_img({"create", "-q", "-f", "qcow2", dir / "a.qcow2", "16M"});
    auto vm = import({dir / "a.qcow2", "", "", ""}, "site", pool);
    auto container = import({dir / "root", "", "", "system"}, "site", pool);
    CHECK(find_image(pool, "site", "kvm").id() == vm.id());
    CHECK(find_image(pool, "site", "lxc").id() == container.id());
    CHECK(find_image(pool, vm.id()).kind == "kvm");
    CHECK(kind_of([&] { find_image(pool, "site"); }) == ErrorKind::usage);
    CHECK(kind_of([&] { find_image(pool, vm.id(), "lxc"); }) == ErrorKind::usage);
    remove_image(pool, container.id(), dir / "run");
    CHECK(find_image(pool, "site").id() == vm.id());

    make_dirs(pool + "/guests/server");  // a disk alone: no guest.yaml names the image
    Fd guest = open_dir(pool + "/guests/server");
    create_linked(guest.get(), "disk.qcow2", "../../images/" + vm.id() + "/disk.qcow2", 0);
    CHECK(image_users(pool, vm.id()) == std::vector<std::string>{"server"});
    CHECK(kind_of([&] { remove_image(pool, vm.id(), dir / "run"); }) == ErrorKind::refused);
    remove_tree_at(guest.get(), "disk.qcow2");
    remove_image(pool, vm.id(), dir / "run");
    CHECK(list_images(pool).images.empty());
}
