// What creates and copies write into a virtual machine's disk.
#include <cstdio>

#include "catch.hpp"
#include "clara/base/error.hpp"
#include "clara/base/files.hpp"
#include "clara/drivers/disks/fill_disk.hpp"
#include "clara/drivers/disks/guest_disk.hpp"
#include "clara/drivers/disks/identity.hpp"
#include "disk_tools.hpp"
#include "guest_disk_maker.hpp"
#include "temp_dir.hpp"

using namespace clara;

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
        IdentityPlan plan = plan_identity(disk, identity, disk.volumes());
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
