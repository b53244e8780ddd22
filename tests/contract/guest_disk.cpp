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
#include "clara/drivers/disks/fill_disk.hpp"
#include "clara/drivers/disks/identity.hpp"
#include "disk_tools.hpp"
#include "guest_disk_maker.hpp"
#include "temp_dir.hpp"

using namespace clara;

namespace {

bool is_root() {
    if (::geteuid() == 0) return true;
    WARN("needs root: not run");
    return false;
}

/// The file system of the first partition is sound, by e2fsck itself.
std::string fsck(const std::string& disk, const TempDir& dir) {
    const std::string raw = dir / "check.raw", part = dir / "check.ext4";
    qemu_img({"convert", "-f", "qcow2", "-O", "raw", disk, raw});
    run_ok({"dd", "if=" + raw, "of=" + part, "bs=1M", "skip=1", "conv=sparse", "status=none"});
    RunResult result = run({"/sbin/e2fsck", "-fn", part});
    std::string changed = result.status == 0 ? "" : result.out + result.err;
    qemu_img({"check", "-f", "qcow2", disk});
    return changed;
}

std::string debugfs(const TempDir& dir, const std::string& command) {
    return run_ok({"/sbin/debugfs", "-R", command, dir / "check.ext4"});
}

}  // namespace

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

TEST_CASE("guest disk: filling means what it means for a container's disk") {
    if (!is_root()) return;
    TempDir dir;
    GuestDiskMaker maker(dir);
    const std::string path = maker.linux_disk();
    FillDisk fill{dir.path(), "vm1", 0};
    fill.users = {{"operator", 2000}};
    fill.files = {{"/etc/hostname", "", "vm1\n"},
                  {"/opt/ioc/run", "", "#!/bin/sh\n", "ioc", 0755},
                  {"/home/operator/.profile", "", "x", "operator", 0600},
                  {"/etc/copy", "/etc/passwd", "", "33", 04711}};
    fill.folders = {"/var/autosave ioc", "/srv/plain"};
    fill_guest_disk(path, fill);
    CHECK(fsck(path, dir).empty());
    GuestDisk disk(path, "qcow2");
    CHECK(disk.read("/etc/hostname") == "vm1\n");
    CHECK(disk.read("/etc/copy") == read_file("/etc/passwd"));
    auto looks = [&](const std::string& file) {
        const auto a = disk.stat(file)->attributes;
        char text[64];
        std::snprintf(text, sizeof text, "%u:%u %o", a.uid, a.gid, a.mode);
        return std::string(text);
    };
    CHECK(looks("/etc/copy") == "33:33 4711");
    CHECK(looks("/opt/ioc") == "0:0 755");
    CHECK(looks("/opt/ioc/run") == "1000:1000 755");
    CHECK(looks("/home/ioc") == "1000:1000 755");
    CHECK(looks("/var/autosave") == "1000:1000 755");
    CHECK(looks("/home/operator/.profile") == "2000:2000 600");
    disk.close();

    fill.files = {{"/x", "", "x", "nobody-we-know"}};
    CHECK_THROWS_WITH(fill_guest_disk(path, fill), "placing /x: no user 'nobody-we-know' in the guest");
    fill.files = {{"/x", "/dev/zero", ""}};
    CHECK_THROWS_WITH(fill_guest_disk(path, fill), "placing /x: /dev/zero is not a regular file");
    fill.files = {{"/x", "/no/such", ""}};
    CHECK_THROWS_WITH(fill_guest_disk(path, fill),
                      "placing /x: cannot read /no/such: No such file or directory");
}

TEST_CASE("guest disk: a copy gets its identity, and files keep owner and mode") {
    if (!is_root()) return;
    TempDir dir;
    GuestDiskMaker maker(dir);
    const std::string path = maker.linux_disk();
    Identity identity;
    identity.hostname = "copy1";
    identity.machine_id = "0123456789abcdef0123456789abcdef";
    identity.address = NewAddress{*Subnet::parse("10.87.0.21/24"), {}, {}, *Mac::parse("02:c1:a7:00:00:21")};
    {
        GuestDisk disk(path, "qcow2");
        disk.write("/etc/ssh/ssh_host_ed25519_key", "old", {0, 7, 0640});
        disk.write("/etc/ssh/ssh_host_ed25519_key.pub", "old", {});
        disk.write("/etc/ssh/ssh_host_rsa_key", "old", {0, 0, 0600});
        disk.write("/etc/real/interfaces", "iface eth0 inet dhcp\n", {0, 5, 0640});
        disk.make_link("/etc/network/interfaces", "../real/interfaces");
        disk.write("/usr/sbin/ifup", "", {0, 0, 0755});
        disk.write("/var/lib/dhcp/dhclient.leases", "lease", {});
        IdentityPlan plan = plan_identity(disk, identity);
        CHECK(apply_identity(disk, plan, "copy1").empty());
        disk.close();
    }
    CHECK(fsck(path, dir).empty());
    GuestDisk disk(path, "qcow2");
    CHECK(disk.read("/etc/hostname") == "copy1\n");
    CHECK(disk.read("/etc/real/interfaces") == "iface eth0 inet static\n    address 10.87.0.21/24\n");
    CHECK(disk.link_target("/etc/network/interfaces") == "../real/interfaces");
    CHECK(disk.stat("/etc/real/interfaces")->attributes.gid == 5);
    CHECK(disk.stat("/etc/real/interfaces")->attributes.mode == 0640);
    CHECK(disk.stat("/etc/ssh/ssh_host_ed25519_key")->attributes.gid == 7);
    CHECK_FALSE(disk.exists("/var/lib/dhcp/dhclient.leases"));
    write_file(dir / "key", *disk.read("/etc/ssh/ssh_host_ed25519_key"), 0600);
    CHECK(run_ok({"ssh-keygen", "-y", "-f", dir / "key"}) == *disk.read("/etc/ssh/ssh_host_ed25519_key.pub"));
    CHECK(disk.read("/etc/ssh/ssh_host_ed25519_key.pub")->find("root@copy1") != std::string::npos);
    CHECK(disk.read("/etc/ssh/ssh_host_rsa_key")->find("OPENSSH PRIVATE KEY") != std::string::npos);
    CHECK(disk.stat("/etc/ssh/ssh_host_rsa_key.pub")->attributes.mode == 0644);
    disk.close();
}
