#include "catch.hpp"
#include "clara/base/error.hpp"
#include "clara/ops/identity/identity.hpp"
#include "fakes/guest_tree.hpp"
#include "golden.hpp"

using namespace clara;

namespace {

Identity identity() {
    Identity id;
    id.hostname = "copy1";
    id.machine_id = "0123456789abcdef0123456789abcdef";
    id.connection_uuid = "6f1d0c4c-9f6e-4e54-8e5c-7c1a94e0a6b1";
    id.address = NewAddress{*Subnet::parse("10.87.0.21/24"),
                            Ipv4::parse("10.87.0.1"),
                            {"10.87.0.1"},
                            *Mac::parse("02:c1:a7:00:00:21")};
    return id;
}

const std::string hosts =
    "127.0.0.1\tlocalhost\n127.0.1.1\tbuild01.site.org build01\n192.168.7.5 fileserver build01-nfs\n"
    "::1\tlocalhost ip6-localhost ip6-loopback\n";
const std::string grub =
    "menuentry 'Debian' {\n\tsearch --no-floppy --fs-uuid --set=root 4711\n"
    "\tlinux\t/boot/vmlinuz-6.1.0 root=UUID=4711 ro  quiet\n\tinitrd\t/boot/initrd.img-6.1.0\n}\n";

/// What the servers below have in common.
FakeTree server() {
    FakeTree tree;
    tree.files = {{"/etc/hostname", "build01\n"},
                  {"/etc/hosts", hosts},
                  {"/etc/machine-id", "ffffffffffffffffffffffffffffffff\n"},
                  {"/etc/ssh/ssh_host_ed25519_key", "secret"},
                  {"/etc/ssh/ssh_host_ed25519_key.pub", "public"},
                  {"/etc/ssh/ssh_host_rsa_key", "secret"},
                  {"/etc/ssh/ssh_host_rsa_key.pub", "public"},
                  {"/etc/ssh/sshd_config", "PermitRootLogin no\n"},
                  {"/usr/lib/systemd/systemd", ""},
                  {"/usr/lib/systemd/systemd-udevd", ""},
                  {"/usr/lib/systemd/system/serial-getty@.service", ""},
                  {"/var/lib/systemd/random-seed", "seed"},
                  {"/boot/grub/grub.cfg", grub},
                  {"/etc/default/grub",
                   "GRUB_TIMEOUT=5\nGRUB_CMDLINE_LINUX_DEFAULT=\"quiet\"\nGRUB_CMDLINE_LINUX=\"\"\n"}};
    return tree;
}

void check(const FakeTree& tree, const std::string& name) {
    check_golden("identity/" + name + ".txt", print(plan_identity(tree, identity(), {})));
}

}  // namespace

TEST_CASE("identity: Debian with ifupdown") {
    FakeTree tree = server();
    tree.files["/sbin/ifup"] = "";
    tree.files["/etc/mailname"] = "build01\n";
    tree.files["/etc/network/interfaces"] =
        "# made by the installer\nsource /etc/network/interfaces.d/*\n\nauto lo\niface lo inet loopback\n\n"
        "# The primary network interface\nallow-hotplug eno1\niface eno1 inet static\n\taddress "
        "192.168.7.20/24\n"
        "\tgateway 192.168.7.1\n\tdns-nameservers 192.168.7.1\n\tdns-search site.org\n\tup ethtool -K eno1 "
        "tso off\n\n"
        "iface eno1 inet6 static\n\taddress 2001:db8::20/64\n\nauto eno2\niface eno2 inet static\n\taddress "
        "172.16.0.9/16\n";
    tree.files["/etc/hosts"] += "192.168.7.20 build01.site.org build01 # itself\n";
    tree.files["/var/lib/dhcp/dhclient.eno1.leases"] = "lease {}\n";
    tree.files["/etc/dhcp/dhclient.conf"] =
        "option rfc3442 code 121;\nsend dhcp-client-identifier \"build01\";\n";
    tree.files["/etc/krb5.keytab"] = "k";
    check(tree, "debian-ifupdown");
}

TEST_CASE("identity: Debian with a bridge and DHCP") {
    FakeTree tree = server();
    tree.files["/sbin/ifup"] = "";
    tree.files["/etc/network/interfaces"] = "auto lo\niface lo inet loopback\n";
    tree.files["/etc/network/interfaces.d/br0"] =
        "auto br0\niface br0 inet dhcp\n    bridge_ports enp3s0\n    bridge_stp off\n    hostname build01\n";
    check(tree, "debian-bridge");
}

TEST_CASE("identity: Debian with systemd-networkd") {
    FakeTree tree = server();
    tree.links["/etc/systemd/system/multi-user.target.wants/systemd-networkd.service"] = "/lib/x";
    tree.links["/etc/resolv.conf"] = "/run/systemd/resolve/stub-resolv.conf";
    tree.files["/etc/systemd/network/10-lo.network"] = "[Match]\nName=lo\n\n[Network]\nAddress=127.0.0.2/8\n";
    tree.files["/etc/systemd/network/20-wired.network"] =
        "[Match]\nMACAddress=aa:bb:cc:dd:ee:ff\n\n[Network]\n# our "
        "server\nAddress=192.168.7.20/24\nGateway=192.168.7.1\n"
        "DNS=192.168.7.1\nDNS=192.168.7.2\nDomains=site.org\n\n[Address]\nAddress=192.168.7.21/"
        "24\n\n[Route]\n"
        "Gateway=192.168.7.9\nDestination=10.0.0.0/"
        "8\n\n[Route]\nGateway=192.168.7.1\n\n[DHCPv4]\nDUIDRawData=00:01\nUseDNS=no\n";
    tree.files["/etc/systemd/network/30-second.network"] =
        "[Match]\nName=eno2\n[Network]\nAddress=172.16.0.9/16\n";
    check(tree, "debian-networkd");
}

TEST_CASE("identity: Ubuntu with netplan and cloud-init") {
    FakeTree tree = server();
    tree.files["/etc/cloud/cloud.cfg"] = "users: [default]\n";
    tree.files["/usr/bin/cloud-init"] = "";
    tree.files["/etc/netplan/50-cloud-init.yaml"] =
        "# generated\nnetwork:\n    version: 2\n    ethernets:\n        ens3:\n            dhcp4: true\n     "
        "       match:\n"
        "                macaddress: 52:54:00:11:22:33\n            set-name: ens3\n        ens4:\n          "
        "  addresses:\n"
        "            - 172.16.0.9/16\n            routes:\n            - to: default\n              via: "
        "172.16.0.1\n";
    check(tree, "ubuntu-netplan");
}

TEST_CASE("identity: netplan with fixed addresses and a bridge") {
    FakeTree tree = server();
    tree.files["/etc/netplan/01.yaml"] =
        "network:\n  renderer: networkd\n  ethernets:\n    eno1: {dhcp4: no}\n  bridges:\n    br0:\n      "
        "interfaces: [eno1]\n"
        "      addresses: [192.168.7.20/24, '192.168.7.22/24']\n      gateway4: 192.168.7.1\n      "
        "nameservers:\n"
        "        search: [site.org]\n        addresses: [192.168.7.1]\n      routes:\n        - {to: "
        "10.0.0.0/8, via: 192.168.7.9}\n";
    check(tree, "netplan-bridge");
}

TEST_CASE("identity: Red Hat with ifcfg files and SELinux") {
    FakeTree tree = server();
    tree.files.erase("/boot/grub/grub.cfg");
    tree.files["/etc/hostname"] = "build01.site.org\n";
    tree.files["/etc/sysconfig/network-scripts/ifcfg-lo"] = "DEVICE=lo\nIPADDR=127.0.0.1\n";
    tree.files["/etc/sysconfig/network-scripts/ifcfg-ens192"] =
        "TYPE=Ethernet\nBOOTPROTO=\"none\"\nNAME=\"ens192\"\nUUID=\"11111111-2222\"\nDEVICE="
        "\"ens192\"\nONBOOT=\"yes\"\n"
        "HWADDR=\"00:50:56:11:22:33\"\nIPADDR=\"192.168.7.20\"\nIPADDR1=192.168.7.21\nNETMASK=255.255.255."
        "0\nPREFIX1=24\n"
        "GATEWAY=\"192.168.7.1\"\nDNS1=192.168.7.1\nDOMAIN=site.org\nIPV6ADDR=2001:db8::20/64\n";
    tree.files["/boot/loader/entries/abc-5.14.conf"] =
        "title RHEL\nlinux /vmlinuz-5.14\noptions root=/dev/mapper/rl-root ro crashkernel=auto\n";
    tree.files["/etc/selinux/config"] = "# comment\nSELINUX=enforcing\nSELINUXTYPE=targeted\n";
    tree.files["/etc/pki/consumer/cert.pem"] = "c";
    check(tree, "redhat-ifcfg");
}

TEST_CASE("identity: NetworkManager's keyfiles") {
    FakeTree tree = server();
    tree.files["/usr/sbin/NetworkManager"] = "";
    tree.files["/etc/NetworkManager/system-connections/wifi.nmconnection"] =
        "[connection]\nid=w\ntype=wifi\n";
    tree.files["/etc/NetworkManager/system-connections/Wired.nmconnection"] =
        "[connection]\nid=Wired\nuuid=aaaa\ntype=ethernet\ninterface-name=ens18\ntimestamp=1\n\n[ethernet]\n"
        "mac-address=AA:BB:CC:DD:EE:FF\n\n[ipv4]\nmethod=manual\naddress1=192.168.7.20/24,192.168.7.1\n"
        "address2=192.168.7.21/24\ndns=192.168.7.1;\nroute1=10.0.0.0/"
        "8,192.168.7.9\n\n[ipv6]\nmethod=manual\naddress1=2001:db8::20/64\n";
    tree.files["/var/lib/NetworkManager/secret_key"] = "s";
    check(tree, "networkmanager");

    FakeTree bare = server();
    bare.files["/usr/sbin/NetworkManager"] = "";
    check(bare, "networkmanager-default");
}

TEST_CASE("identity: a system without systemd") {
    FakeTree tree;
    tree.files = {{"/etc/hostname", "build01\n"},
                  {"/etc/network/interfaces", "auto eth0\niface eth0 inet dhcp\n"},
                  {"/sbin/ifup", ""},
                  {"/sbin/getty", ""},
                  {"/etc/inittab", "id:2:initdefault:\n#T0:23:respawn:/sbin/getty -L ttyS0 9600 vt100\n"},
                  {"/etc/udev/rules.d/70-persistent-net.rules", "ATTR{address}==\"aa\", NAME=\"eth0\"\n"},
                  {"/etc/ssh/ssh_host_dsa_key", "x"},
                  {"/extlinux.conf", "DEFAULT l\nLABEL l\n  LINUX /vmlinuz\n  APPEND root=/dev/vda1\n"},
                  {"/var/lib/dbus/machine-id", "f\n"}};
    check(tree, "sysvinit");
}

TEST_CASE("identity: clara's own image, whose network comes from init.json") {
    FakeTree tree;
    tree.files = {{"/etc/hostname", "source\n"},
                  {"/etc/clara/init.json",
                   "{\"tmpfs\": [\"/run\"], \"machine\": {\"hostname\": \"source\", \"nic\": {\"mac\": "
                   "\"02:c1:a7:00:00:11\", "
                   "\"address\": \"10.87.0.11/24\"}, \"watchdog\": true}}\n"},
                  {"/etc/hosts", "127.0.0.1 localhost\n10.87.0.11 source\n"},
                  {"/etc/ssh/ssh_host_ed25519_key", "x"},
                  {"/extlinux.conf", "APPEND root=/dev/vda1 console=ttyS0\n"}};
    check(tree, "clara");
}

namespace {

/// A table of the old kind: /boot, swap, root and a disk of another operating system.
const std::vector<Volume> partitions{
    {.number = 1, .type = "ext2", .uuid = "aaaa-1", .part_uuid = "1234-01"},
    {.number = 2, .type = "swap", .uuid = "bbbb-2", .part_uuid = "1234-02"},
    {.number = 5, .type = "ext4", .uuid = "cccc-5", .part_uuid = "1234-05"},
    {.number = 6, .type = "", .uuid = "", .part_uuid = "1234-06"},
};

std::string disks_of(const FakeTree& tree) {
    IdentityPlan all = plan_identity(tree, identity(), partitions), plan;
    const std::string paths[] = {
        "/etc/fstab",  "/etc/crypttab",         "/etc/default/grub", "/etc/kernel/cmdline",
        "/boot/grub/", "/boot/loader/entries/", "/extlinux.conf",    "/etc/initramfs-tools/conf.d/resume"};
    for (const auto& change : all.changes)
        for (const auto& path : paths)
            if (change.path.starts_with(path)) plan.changes.push_back(change);
    for (const auto& warning : all.warnings)
        if (warning.find("calls a disk") != std::string::npos) plan.warn(warning);
    return print(plan);
}

}  // namespace

TEST_CASE("identity: disks are found by their UUIDs") {
    FakeTree tree = server();
    tree.files["/etc/fstab"] =
        "# /dev/sda5 was / during installation\n/dev/sda5  / ext4  errors=remount-ro 0 1\n"
        "  /dev/sda1\t/boot ext2 defaults 0 2\nLABEL=x /srv xfs defaults 0 0\n/dev/sda2 none swap sw 0 0\n"
        "/dev/sda6 /win ntfs ro 0 0\n/dev/sda7 /gone ext4 ro 0 0\n/dev/sdb1 /data ext4 defaults 0 2\n"
        "/dev/mapper/vg-home /home ext4 defaults 0 2\n/dev/sr0 /media/cdrom0 udf,iso9660 user,noauto 0 0\n"
        "/dev/disk/by-path/pci-0000:00:1f.2-ata-1-part5 /again ext4 ro 0 0\n";
    tree.files["/etc/crypttab"] = "secret /dev/sda6 none luks\nplain\n";
    tree.files["/etc/default/grub"] =
        "GRUB_CMDLINE_LINUX_DEFAULT=\"quiet resume=/dev/sda2\"\nGRUB_CMDLINE_LINUX=\"root=/dev/sda5\"\n"
        "GRUB_DISABLE_LINUX_UUID=true\n";
    tree.files["/boot/grub/grub.cfg"] =
        "set root='hd0,msdos1'\nlinux /vmlinuz-6.1 root=/dev/sda5 ro resume=/dev/sda2 quiet\n"
        "initrd /initrd.img-6.1\n";
    tree.files["/etc/initramfs-tools/conf.d/resume"] = "RESUME=/dev/sda2\n";
    check_golden("identity/disks.txt", disks_of(tree));
    // Nothing is known of its partitions, e.g. of a tree that is no disk.
    CHECK(print(plan_identity(tree, identity(), {})).find("UUID=cccc-5") == std::string::npos);
}

TEST_CASE("identity: the disk with the root may be called by any place") {
    FakeTree tree = server();
    tree.files["/etc/fstab"] =
        "/dev/disk/by-id/ata-WDC_WD10-part5 / ext4 ro 0 1\n/dev/disk/by-id/ata-WDC_WD10-part1 /boot ext2 ro "
        "0 2\n"
        "/dev/disk/by-id/ata-OTHER-part1 /data ext4 ro 0 2\n/dev/sda2 none swap sw 0 0\n";
    // No initramfs: the kernel itself knows no file systems.
    tree.files["/boot/grub/grub.cfg"] = "linux /vmlinuz root=/dev/sda5 ro\n";
    tree.files["/extlinux.conf"] = "LABEL l\n LINUX /vmlinuz\n INITRD /i\n APPEND ro root=/dev/nvme0n1p5\n";
    check_golden("identity/disks-by-id.txt", disks_of(tree));

    FakeTree second = server();
    second.files["/etc/fstab"] = "/dev/sdb5 / ext4 ro 0 1\n/dev/sda5 /other ext4 ro 0 2\n";
    second.files["/etc/kernel/cmdline"] = "root=/dev/sdb5 quiet\n";
    check_golden("identity/disks-second.txt", disks_of(second));
}

TEST_CASE("identity: a second time changes nothing more") {
    FakeTree tree = server();
    tree.files["/sbin/ifup"] = "";
    tree.files["/etc/network/interfaces"] = "iface eth0 inet dhcp\n";
    IdentityPlan first = plan_identity(tree, identity(), {});
    for (const auto& change : first.changes) {
        if (change.what == FileChange::What::write) tree.files[change.path] = change.text;
        if (change.what == FileChange::What::remove) tree.files.erase(change.path);
        if (change.what == FileChange::What::link) tree.links[change.path] = change.text;
    }
    for (const auto& change : plan_identity(tree, identity(), {}).changes) {
        if (change.what == FileChange::What::host_key) continue;
        INFO(change.path);
        CHECK(change.what == FileChange::What::write);
        CHECK(tree.files[change.path] == change.text);
    }
}

TEST_CASE("identity: without an address the network stays, and unknown systems are told") {
    FakeTree tree = server();
    tree.files["/sbin/ifup"] = "";
    tree.files["/etc/network/interfaces"] = "iface eth0 inet dhcp\n";
    Identity id = identity();
    id.address.reset();
    for (const auto& change : plan_identity(tree, id, {}).changes)
        CHECK(change.path != "/etc/network/interfaces");

    auto warnings = plan_identity(FakeTree{}, identity(), {}).warnings;
    REQUIRE(warnings.size() == 2);
    CHECK(warnings[0].find("no network configuration of a known form") == 0);
    CHECK(warnings[1].find("no boot loader of a known form") == 0);

    FakeTree spoilt = server();
    spoilt.files["/etc/netplan/01.yaml"] = "network: [unclosed\n";
    warnings = plan_identity(spoilt, identity(), {}).warnings;
    REQUIRE(warnings.size() == 2);
    CHECK(warnings[0].find("/etc/netplan/01.yaml: not readable") == 0);
}

TEST_CASE("identity: a name that is none is refused") {
    Identity id = identity();
    id.hostname = "x\n127.0.0.1 bank";
    CHECK_THROWS_AS(plan_identity(FakeTree{}, id, {}), Error);
}
