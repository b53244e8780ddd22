// Disk files as qemu-img makes them.
#include <fcntl.h>
#include <sys/stat.h>

#include <filesystem>

#include "catch.hpp"
#include "clara/base/error.hpp"
#include "clara/base/files.hpp"
#include "clara/base/process.hpp"
#include "clara/drivers/disks/chain.hpp"
#include "clara/drivers/disks/foreign.hpp"
#include "clara/drivers/disks/qcow2_header.hpp"
#include "clara/drivers/disks/qemu_img.hpp"
#include "disk_tools.hpp"
#include "temp_dir.hpp"

using namespace clara;

TEST_CASE("disks: what qemu-img says of a disk comes back as data") {
    TempDir dir;
    qemu_img({"create", "-f", "qcow2", dir / "base.qcow2", "64M"});
    qemu_img({"create", "-f", "qcow2", "-b", "base.qcow2", "-F", "qcow2", dir / "top.qcow2", "128M"});
    qemu_img({"bitmap", "--add", dir / "top.qcow2", "b1"});
    DiskInfo info = disk_info(dir / "top.qcow2", "qcow2");
    CHECK(info.format == "qcow2");
    CHECK(info.size == 128 << 20);
    CHECK(info.taken < 1 << 20);
    CHECK(info.backing == "base.qcow2");
    CHECK(info.backing_format == "qcow2");
    CHECK(info.bitmaps == std::vector<std::string>{"b1"});
    CHECK_FALSE(info.corrupt);
    CHECK(disk_info(dir / "base.qcow2", "qcow2", Trust::foreign).backing.empty());
}

TEST_CASE("disks: a wrong format is refused, raw data is never looked into") {
    TempDir dir;
    write_file(dir / "text", std::string(4096, 'x'));
    CHECK(refused([&] { disk_info(dir / "text", "qcow2"); }));
    CHECK(kind_of([&] { disk_info(dir / "text", "qed"); }) == ErrorKind::usage);
    // A guest wrote a qcow2 header into its raw disk.
    qemu_img({"create", "-f", "qcow2", "-u", "-b", "/etc/shadow", "-F", "raw", dir / "evil", "1M"});
    DiskInfo info = disk_info(dir / "evil", "raw");
    CHECK(info.format == "raw");
    CHECK(info.backing.empty());
    CHECK(info.size - std::filesystem::file_size(dir / "evil") < 512);  // rounded up to a sector
    CHECK(inspect_foreign(dir / "evil", "raw").backing.empty());
}

TEST_CASE("disks: the name may say the format") {
    CHECK(format_of_name("/a/b.qcow2") == "qcow2");
    CHECK(format_of_name("b.vmdk") == "vmdk");
    CHECK_FALSE(format_of_name("/a.raw/disk.img"));
}

TEST_CASE("disks: damage is refused, leaks are mended") {
    TempDir dir;
    const std::string disk = dir / "disk.qcow2";
    qemu_img({"create", "-f", "qcow2", disk, "64M"});
    qemu_io(disk, {"write -P 1 0 8M"});
    CHECK(check_disk(disk, "qcow2").corruptions == 0);
    CHECK(check_disk(disk, "raw").leaks == 0);  // nothing to check

    std::filesystem::copy_file(disk, dir / "short.qcow2");
    std::filesystem::resize_file(dir / "short.qcow2", 1 << 20);
    CHECK(refused([&] { check_disk(dir / "short.qcow2", "qcow2"); }));
    CHECK(refused([&] { inspect_foreign(dir / "short.qcow2", "qcow2"); }));

    // A refcount of 1 for a cluster that nothing points to.
    std::filesystem::resize_file(disk, 256 << 16);
    Fd file(::open(disk.c_str(), O_RDWR | O_CLOEXEC));
    REQUIRE(::pwrite(file.get(), "\0\1", 2, 0x20000 + 2L * 200) == 2);
    CHECK(check_disk(disk, "qcow2").leaks == 1);
    CHECK(check_disk(disk, "qcow2", Trust::ours, true).repaired == 1);
    CHECK(check_disk(disk, "qcow2").leaks == 0);
}

TEST_CASE("disks: one that is being written is left alone") {
    TempDir dir;
    const std::string disk = dir / "disk.qcow2";
    qemu_img({"create", "-f", "qcow2", disk, "64M"});
    QemuIo writer(disk);
    CHECK(kind_of([&] { check_disk(disk, "qcow2"); }) == ErrorKind::busy);
    CHECK(kind_of([&] { disk_info(disk, "qcow2"); }) == ErrorKind::busy);
    CHECK(disk_info(disk, "qcow2", Trust::ours, true).size == 64 << 20);
}

TEST_CASE("disks: a linked disk is small, says its formats, and is as large as asked") {
    TempDir dir;
    make_dirs(dir / "images/a@0123456789ab");
    make_dirs(dir / "guests/vm1");
    qemu_img({"create", "-f", "qcow2", dir / "images/a@0123456789ab/disk.qcow2", "64M"});
    const std::string backing = "../../images/a@0123456789ab/disk.qcow2",
                      disk = dir / "guests/vm1/disk.qcow2";
    Fd folder = open_dir(dir / "guests/vm1");
    create_linked(folder.get(), "disk.qcow2", backing, 1 << 20);
    DiskInfo info = disk_info(disk, "qcow2");
    CHECK(info.size == 64 << 20);
    CHECK(info.backing == backing);
    CHECK(info.backing_format == "qcow2");
    CHECK(info.taken <= 1 << 20);
    CHECK(check_disk(disk, "qcow2").leaks == 0);
    CHECK_THROWS_AS(create_linked(folder.get(), "disk.qcow2", backing, 0), Error);  // never over another
    create_linked(folder.get(), "disk2.qcow2", backing, 1 << 30);
    CHECK(disk_info(dir / "guests/vm1/disk2.qcow2", "qcow2").size == 1 << 30);
    CHECK_THROWS_AS(create_linked(folder.get(), "disk3.qcow2", "../none.qcow2", 0), Error);
    CHECK_FALSE(exists(dir / "guests/vm1/disk3.qcow2"));
}

TEST_CASE("disks: a chain is followed to its end, by stated formats only") {
    TempDir dir;
    qemu_img({"create", "-f", "raw", dir / "a.raw", "1M"});
    qemu_img({"create", "-f", "qcow2", "-b", "a.raw", "-F", "raw", dir / "b.qcow2"});
    make_dirs(dir / "sub");
    qemu_img({"create", "-f", "qcow2", "-b", "../b.qcow2", "-F", "qcow2", dir / "sub/c.qcow2"});
    auto chain = disk_chain(dir / "sub/c.qcow2", "qcow2");
    REQUIRE(chain.size() == 3);
    CHECK(chain[1].path == dir / "b.qcow2");
    CHECK(chain[2].path == dir / "a.raw");
    CHECK(chain[2].format == "raw");
    CHECK_NOTHROW(refuse_outside(chain, dir.path()));
    CHECK(refused([&] { refuse_outside(chain, dir / "sub"); }));
    CHECK(refused([&] { inspect_foreign(dir / "sub/c.qcow2", "qcow2"); }));
    CHECK(disk_chain(dir / "sub/c.qcow2", "raw").size() == 1);

    REQUIRE(::unlink((dir / "a.raw").c_str()) == 0);
    CHECK_THROWS_WITH(disk_chain(dir / "sub/c.qcow2", "qcow2"),
                      Catch::Contains("its backing file") && Catch::Contains("a.raw is gone"));
}

TEST_CASE("disks: chains that lead astray are refused") {
    TempDir dir;
    auto with_backing = [&](const std::string& name, const std::string& backing, const std::string& format) {
        qemu_img({"create", "-f", "qcow2", "-u", "-b", backing, "-F", format, dir / name, "1M"});
        return dir / name;
    };
    CHECK(refused([&] { disk_chain(with_backing("j", "json:{\"driver\":\"file\"}", "raw"), "qcow2"); }));
    CHECK(refused([&] { disk_chain(with_backing("n", "nbd:127.0.0.1:1", "raw"), "qcow2"); }));
    CHECK(refused([&] { disk_chain(with_backing("v", "x.vmdk", "vmdk"), "qcow2"); }));
    CHECK(refused([&] { disk_chain(with_backing("self", "self", "qcow2"), "qcow2"); }));
    with_backing("one", "two", "qcow2");
    CHECK(refused([&] { disk_chain(with_backing("two", "one", "qcow2"), "qcow2"); }));
    CHECK(refused([&] { inspect_foreign(with_backing("out", "/etc/passwd", "raw"), "qcow2"); }));
    // A link inside the folder that leads out of it.
    std::filesystem::create_symlink("/etc/passwd", dir / "passwd");
    CHECK(refused([&] { inspect_foreign(with_backing("link", "passwd", "raw"), "qcow2"); }));
    qemu_img({"create", "-f", "qcow2", "-o", "data_file=" + dir / "data.raw", dir / "data.qcow2", "1M"});
    CHECK_THROWS_WITH(inspect_foreign(dir / "data.qcow2", "qcow2"),
                      Catch::Contains("keeps its data in another file"));
    for (int n = 0; n < 70; ++n)
        with_backing("long" + std::to_string(n), "long" + std::to_string(n + 1), "qcow2");
    with_backing("long70", "passwd", "raw");
    CHECK_THROWS_WITH(disk_chain(dir / "long0", "qcow2"), Catch::Contains("stands on more than 64 files"));
}

TEST_CASE("disks: foreign kinds that reach for other files are refused") {
    TempDir dir;
    qemu_img({"create", "-f", "vmdk", dir / "one.vmdk", "8M"});
    CHECK(inspect_foreign(dir / "one.vmdk", "vmdk").size == 8 << 20);
    qemu_img({"create", "-f", "vmdk", "-o", "subformat=monolithicFlat", dir / "flat.vmdk", "8M"});
    CHECK_THROWS_WITH(inspect_foreign(dir / "flat.vmdk", "vmdk"), Catch::Contains("refers to other files"));
    qemu_img({"create", "-f", "vdi", dir / "one.vdi", "8M"});
    CHECK(inspect_foreign(dir / "one.vdi", "vdi").size == 8 << 20);
    qemu_img({"create", "-f", "qcow2", dir / "huge.qcow2", "60T"});
    CHECK_THROWS_WITH(inspect_foreign(dir / "huge.qcow2", "qcow2"), Catch::Contains("a disk of 60.0 TiB"));
    write_file(dir / "empty.raw", "");
    CHECK(refused([&] { inspect_foreign(dir / "empty.raw", "raw"); }));
    CHECK_THROWS_WITH(inspect_foreign(dir / "none.raw", "raw"), Catch::Contains("is not there"));
}

TEST_CASE("disks: who stands on an image is read from the disks") {
    TempDir dir;
    const std::string image = dir / "images/a@0123456789ab/disk.qcow2";
    make_dirs(dir / "images/a@0123456789ab");
    qemu_img({"create", "-f", "qcow2", image, "64M"});
    CHECK(users_of(dir.path(), image).empty());
    auto guest = [&](const std::string& folder, const std::string& file, const std::string& backing) {
        make_dirs(dir / ("guests/" + folder));
        Fd at = open_dir(dir / ("guests/" + folder));
        create_linked(at.get(), file, backing, 0);
    };
    const std::string relative = "../../images/a@0123456789ab/disk.qcow2";
    guest("vm2", "disk.qcow2", relative);
    guest("vm1", "disk.qcow2", relative);
    guest("vm1", "disk2.qcow2", relative);
    guest(".vm3.partial", "disk.qcow2", relative);
    guest(".vm4.removed", "disk.qcow2", relative);
    guest("vm5", "snap.qcow2", "../vm1/disk.qcow2");
    make_dirs(dir / "guests/ioc1");
    write_file(dir / "guests/ioc1/disk.raw", "no qcow2");
    CHECK(users_of(dir.path(), image) == std::vector<std::string>{"vm1", "vm2", "vm3", "vm5"});
    CHECK(users_of(dir.path(), dir / "guests/vm1/disk.qcow2") == std::vector<std::string>{"vm5"});
    CHECK(users_of(dir.path(), dir / "guests/vm2/disk.qcow2").empty());
    CHECK_THROWS_WITH(refuse_used_disk(dir.path(), image),
                      Catch::Contains("is what vm1, vm2, vm3, vm5 stand on"));
    CHECK_NOTHROW(refuse_used_disk(dir.path(), dir / "guests/vm2/disk.qcow2"));
    write_file(dir / "guests/vm2/disk.qcow2", "spoilt");
    CHECK_THROWS_WITH(users_of(dir.path(), image), Catch::Contains("cannot tell whether vm2 stands on"));
}
