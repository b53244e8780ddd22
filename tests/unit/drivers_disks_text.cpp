#include "catch.hpp"
#include "clara/base/error.hpp"
#include "clara/drivers/disks/convert.hpp"
#include "clara/drivers/disks/remote.hpp"
#include "clara/ops/fstab.hpp"

using namespace clara;

TEST_CASE("qemu-img's progress is read from what it says") {
    CHECK(last_percent("    (0.00/100%)\r    (22.73/100%)\r") == 22.73);
    CHECK(last_percent("(100.00/100%)") == 100);
    CHECK(last_percent("    (22.73/100%)\r    (27.2") == 22.73);
    CHECK(last_percent("nothing") == -1);
    CHECK(last_percent("x/100%)") == -1);
    CHECK(last_percent("(x/100%)") == -1);
    CHECK(last_percent("") == -1);
}

TEST_CASE("a disk of another machine is named by a URL") {
    RemoteDisk disk = parse_remote_disk("ssh://root@old.site.org:2222/dev/disk/by-id/ata-X_1:0");
    CHECK(disk.user == "root");
    CHECK(disk.host == "old.site.org");
    CHECK(disk.port == 2222);
    CHECK(disk.path == "/dev/disk/by-id/ata-X_1:0");
    CHECK(disk.str() == "ssh://root@old.site.org:2222/dev/disk/by-id/ata-X_1:0");
    CHECK(parse_remote_disk("ssh://old/dev/sda").str() == "ssh://root@old/dev/sda");
    CHECK(parse_remote_disk("ssh://root@[fe80::1%eth0]:22/dev/sda").host == "fe80::1%eth0");
    CHECK(parse_remote_disk("ssh://[::1]/dev/sda").host == "::1");
}

TEST_CASE("what a shell or ssh could take for something else is no URL") {
    for (const char* url : {"/dev/sda", "ssh://", "ssh://host", "ssh://@host/dev/sda", "ssh:///dev/sda",
                            "ssh://-oProxyCommand=x/dev/sda", "ssh://-l@host/dev/sda", "ssh://host:0/dev/sda",
                            "ssh://host:70000/dev/sda", "ssh://host:x/dev/sda", "ssh://host/dev/sda;reboot",
                            "ssh://host/dev/$(id)", "ssh://host/dev/a b", "ssh://host/dev/a'b",
                            "ssh://ho st/dev/sda", "ssh://host/dev/*"}) {
        INFO(url);
        CHECK_THROWS_AS(parse_remote_disk(url), Error);
    }
}

TEST_CASE("fstab's lines name volumes in many ways") {
    auto entries = parse_fstab(
        "# /dev/sda9 /old ext4\n\nUUID=AB-12 / ext4 defaults 0 1\n/dev/sda2\t/boot ext4\nbroken\n"
        "LABEL=\"data\" /srv xfs\n");
    REQUIRE(entries.size() == 3);
    CHECK(entries[1].target == "/boot");
    std::vector<Volume> volumes{{.number = 1, .type = "ext4", .uuid = "ab-12", .part_uuid = "77-01"},
                                {.number = 2, .type = "xfs", .uuid = "", .label = "data"}};
    CHECK(volume_of("UUID=AB-12", volumes) == &volumes[0]);
    CHECK(volume_of("UUID=\"ab-12\"", volumes) == &volumes[0]);
    CHECK(volume_of("/dev/disk/by-uuid/ab-12", volumes) == &volumes[0]);
    CHECK(volume_of("PARTUUID=77-01", volumes) == &volumes[0]);
    CHECK(volume_of("LABEL=\"data\"", volumes) == &volumes[1]);
    CHECK(volume_of("/dev/sda2", volumes) == &volumes[1]);
    CHECK(volume_of("/dev/nvme0n1p1", volumes) == &volumes[0]);
    for (const char* other :
         {"UUID=", "UUID=cd", "LABEL=", "/dev/sdb1", "/dev/sda", "/dev/sda2x", "/dev/mapper/root", "proc"}) {
        INFO(other);
        CHECK(volume_of(other, volumes) == nullptr);
    }
}
