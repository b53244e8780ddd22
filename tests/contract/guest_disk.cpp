// Files of a stopped virtual machine, in disks that the tools of other projects made.
#include "clara/drivers/disks/guest_disk.hpp"

#include <fcntl.h>
#include <signal.h>
#include <sys/wait.h>

#include <filesystem>
#include <thread>

#include "catch.hpp"
#include "clara/base/error.hpp"
#include "clara/base/files.hpp"
#include "disk_tools.hpp"
#include "guest_disk_maker.hpp"
#include "temp_dir.hpp"

using namespace clara;

TEST_CASE("guest disk: the system on it is named") {
    if (!is_root()) return;
    TempDir dir;
    GuestDiskMaker maker(dir);
    GuestDisk disk(maker.linux_disk(), "qcow2");
    CHECK(disk.system().kind == "linux");
    CHECK(disk.system().distribution == "debian");
    CHECK(disk.system().name == "Debian GNU/Linux 12 (bookworm)");
    CHECK(disk.system().obstacle.empty());
    REQUIRE(disk.volumes().size() == 1);
    CHECK(disk.volumes()[0].type == "ext4");
    CHECK(disk.volumes()[0].offset == 1 << 20);
    CHECK(disk.read("/etc/hostname") == "source\n");
    CHECK(disk.read("/etc/os-release")->find("bookworm") != std::string::npos);  // through a link
    CHECK_FALSE(disk.read("/etc/none"));
    CHECK_FALSE(disk.read("/etc"));
    CHECK(disk.exists("/etc/dangling"));
    CHECK(disk.link_target("/etc/dangling") == "/no/where");
    CHECK_FALSE(disk.link_target("/etc/hostname"));
    CHECK(disk.list("/etc") == std::vector<std::string>{"dangling", "fstab", "hostname", "os-release"});
    CHECK(disk.list("/none").empty());
    CHECK(disk.stat("/home/ioc")->attributes.uid == 1000);
    disk.close();
}

TEST_CASE("guest disk: what is written is there, and the file system stays sound") {
    if (!is_root()) return;
    TempDir dir;
    GuestDiskMaker maker(dir);
    const std::string path = maker.linux_disk();
    const std::string large(900 << 10, 'L');
    {
        GuestDisk disk(path, "qcow2");
        disk.write("/etc/hostname", "copy\n", {0, 0, 0644});
        disk.write("/new/deep/folder/file", "text", {1000, 70000, 04750, 1600000000});
        disk.write("/etc/dangling", "in place of the link", {});
        disk.write("/etc/os-release", "ID=other\n", {});  // the link goes, what it led to stays
        disk.write("/large", large, {});
        disk.write("/large2", large, {});
        disk.write("/large2", "short now", {});
        disk.write("/empty", "", {});
        for (int n = 0; n < 300; ++n)
            disk.write("/many/name-that-fills-folders-" + std::to_string(n), "x", {});
        disk.make_folder("/var/autosave", {1000, 1000, 0750});
        disk.make_folder("/home/ioc", {1000, 1000, 0700});
        disk.make_link("/etc/link", "/lib/systemd/system/serial-getty@.service");
        disk.make_link("/etc/link2", std::string(200, 'n'));  // too long to lie in the inode
        disk.make_link("/etc/link", "elsewhere");
        disk.remove("/etc/fstab");
        disk.remove("/usr/share");
        disk.remove("/never/was");
        CHECK(disk.read("/large") == large);
        CHECK(disk.link_target("/etc/link2") == std::string(200, 'n'));
        disk.close();
    }
    CHECK(fsck(path, dir).empty());
    CHECK(debugfs(dir, "cat /etc/hostname") == "copy\n");
    CHECK(debugfs(dir, "cat /large2") == "short now");
    CHECK(debugfs(dir, "cat /usr/lib/os-release").find("bookworm") != std::string::npos);
    CHECK(debugfs(dir, "cat /etc/os-release") == "ID=other\n");
    CHECK(debugfs(dir, "stat /etc/link").find("Fast link dest: \"elsewhere\"") != std::string::npos);
    std::string st = debugfs(dir, "stat /new/deep/folder/file");
    CHECK(st.find("Mode:  04750") != std::string::npos);
    CHECK(st.find("User:  1000   Group: 70000") != std::string::npos);
    CHECK(st.find("mtime: 0x5f5e1000") != std::string::npos);
    CHECK(debugfs(dir, "ls -p /usr").find("share") == std::string::npos);
    GuestDisk again(path, "qcow2");
    CHECK(again.read("/large") == large);
    CHECK(again.list("/many").size() == 300);
    CHECK_FALSE(again.exists("/etc/fstab"));
    CHECK(again.stat("/var/autosave")->attributes.mode == 0750);
    CHECK(again.stat("/home/ioc")->attributes.mode == 0700);
    again.close();
}

TEST_CASE("guest disk: paths that make no sense are refused") {
    if (!is_root()) return;
    TempDir dir;
    GuestDiskMaker maker(dir);
    GuestDisk disk(maker.linux_disk(), "qcow2");
    for (const char* path : {"etc/x", "/../x", "/etc/../x", "/./x", "", "/"})
        CHECK_THROWS_AS(disk.write(path, "x", {}), Error);
    CHECK_THROWS_WITH(disk.write("/etc", "x", {}), "/etc is a folder in the guest");
    CHECK_THROWS_WITH(disk.write("/etc/hostname/x", "x", {}), "/etc/hostname is not a folder in the guest");
    CHECK_THROWS_WITH(disk.write("/etc/dangling/x", "x", {}), "/etc/dangling is a link that leads nowhere");
    CHECK_THROWS_WITH(disk.make_link("/etc", "x"), "/etc is a folder in the guest");
    CHECK_THROWS_AS(disk.remove("/"), Error);
    disk.close();
}

TEST_CASE("guest disk: links inside never lead out of the guest") {
    if (!is_root()) return;
    TempDir dir;
    GuestDiskMaker maker(dir);
    const std::string path = maker.linux_disk();
    GuestDisk disk(path, "qcow2");
    disk.make_link("/outside", "../../../../../../etc");
    disk.make_link("/circle", "circle");
    CHECK(disk.read("/outside/hostname") == "source\n");
    CHECK_THROWS_AS(disk.read("/circle"), Error);
    disk.close();
}

TEST_CASE("guest disk: a full one says so and stays sound") {
    if (!is_root()) return;
    TempDir dir;
    GuestDiskMaker maker(dir);
    const std::string path = maker.linux_disk();
    {
        GuestDisk disk(path, "qcow2");
        CHECK_THROWS_WITH(disk.write("/huge", std::string(80 << 20, 'x'), {}),
                          Catch::Contains("no space left in the guest's file system"));
    }
    GuestDisk again(path, "qcow2");
    CHECK(again.read("/etc/hostname") == "source\n");
    again.close();
}

TEST_CASE("guest disk: a journal that a power cut left is replayed") {
    if (!is_root()) return;
    TempDir dir;
    GuestDiskMaker maker(dir);
    const std::string path = maker.dirty_disk();
    GuestDisk disk(path, "qcow2");
    CHECK(disk.read("/after") == "written, and in the journal alone\n");
    disk.write("/etc/hostname", "copy\n", {});
    disk.close();
    CHECK(fsck(path, dir).empty());
}

TEST_CASE("guest disk: a damaged file system is not touched") {
    if (!is_root()) return;
    TempDir dir;
    GuestDiskMaker maker(dir);
    CHECK_THROWS_WITH(GuestDisk(maker.damaged_disk(), "qcow2"), Catch::Contains("damaged"));
}

TEST_CASE("guest disk: further file systems are found where fstab mounts them") {
    if (!is_root()) return;
    TempDir dir;
    GuestDiskMaker maker(dir);
    const std::string path = maker.split_disk();
    {
        GuestDisk disk(path, "qcow2");
        CHECK(disk.system().obstacle.empty());
        CHECK(disk.closed_parts() == std::vector<std::string>{"/srv (xfs)"});
        CHECK(disk.read("/boot/grub/grub.cfg") == "linux /vmlinuz\n");
        CHECK(disk.read("/etc/hostname") == "source\n");
        disk.write("/boot/grub/new", "n", {});
        CHECK(refused([&] { disk.write("/srv/x", "x", {}); }));
        CHECK_FALSE(disk.read("/srv/x"));
        disk.close();
    }
    GuestDisk again(path, "qcow2");
    CHECK(again.read("/boot/grub/new") == "n");
    CHECK(again.list("/boot") == std::vector<std::string>{"grub", "lost+found"});
}

TEST_CASE("guest disk: systems that cannot be edited are recognised") {
    if (!is_root()) return;
    TempDir dir;
    GuestDiskMaker maker(dir);
    for (const auto& [type, kind, obstacle] : {std::tuple{"xfs", "linux", "its root is XFS"},
                                               {"btrfs", "linux", "its root is btrfs"},
                                               {"lvm", "linux", "its root is on LVM"},
                                               {"ntfs", "windows", "it is a Windows system (ntfs)"},
                                               {"vfat", "unknown", "no root file system was found on it"},
                                               {"none", "unknown", "no root file system was found on it"},
                                               {"data", "unknown", "no root file system was found on it"}}) {
        INFO(type);
        GuestDisk disk(maker.other_disk(type), "qcow2");
        CHECK(disk.system().kind == kind);
        CHECK(disk.system().obstacle == obstacle);
        CHECK(refused([&] { disk.write("/x", "x", {}); }));
        CHECK_FALSE(disk.read("/etc/hostname"));
        disk.close();
    }
}

TEST_CASE("guest disk: one in use is left alone, one that is open is held") {
    if (!is_root()) return;
    TempDir dir;
    GuestDiskMaker maker(dir);
    const std::string path = maker.linux_disk();
    {
        QemuIo running(path);
        CHECK(kind_of([&] { GuestDisk disk(path, "qcow2"); }) == ErrorKind::busy);
    }
    GuestDisk disk(path, "qcow2");
    CHECK(kind_of([&] { GuestDisk second(path, "qcow2"); }) == ErrorKind::busy);
    disk.close();
}

TEST_CASE("guest disk: a kill leaves no process and no mount") {
    if (!is_root()) return;
    TempDir dir;
    GuestDiskMaker maker(dir);
    const std::string path = maker.linux_disk();
    const std::string mounts = *read_file("/proc/self/mountinfo");
    for (int moment = 0; moment < 8; ++moment) {
        const pid_t child = ::fork();
        if (child == 0) {
            try {
                GuestDisk disk(path, "qcow2");
                for (int n = 0;; ++n)
                    disk.write("/file" + std::to_string(n % 50), std::string(100000, 'x'), {});
            } catch (...) {
                ::_exit(1);
            }
        }
        ::usleep(static_cast<useconds_t>(moment) * 10000);
        ::kill(child, SIGKILL);
        ::waitpid(child, nullptr, 0);
        // The daemon's end frees the disk; it is killed when its parent is, so at once.
        bool free = false;
        for (int tries = 0; tries < 500 && !free; ++tries) {
            free = run({"qemu-io", "-f", "qcow2", "-c", "read 0 512", path}).status == 0;
            if (!free) ::usleep(20000);
        }
        CHECK(free);
    }
    CHECK(*read_file("/proc/self/mountinfo") == mounts);
}
