#include <fstream>

#include "catch.hpp"
#include "clara/base/error.hpp"
#include "clara/spec/machine.hpp"
#include "clara/spec/template.hpp"
#include "temp_dir.hpp"

using namespace clara;
using Catch::Matchers::Contains;

namespace {

struct Scene {
    TempDir dir;
    Site site = default_site();
    Scene() {
        site.template_path = {dir.path()};
        site.ssh_keys.clear();
    }
    GuestSpec resolve(const std::string& text, const std::string& kind = "") {
        std::ofstream(dir / "t.yaml") << text;
        Request request;
        request.name = "vm1";
        request.template_name = "t";
        request.kind = kind;
        return clara::resolve(request, site);
    }
    std::string failure(const std::string& text, const std::string& kind = "") {
        try {
            resolve(text, kind);
        } catch (const Error& e) {
            CHECK(e.kind() == ErrorKind::usage);
            return e.message();
        }
        return "no error";
    }
};

}  // namespace

TEST_CASE("a VM gets hardware although its template names none") {
    Scene scene;
    GuestSpec spec = scene.resolve("kind: kvm\nimage: x\n");
    REQUIRE(spec.machine);
    CHECK(spec.machine->cpus == 1);
    CHECK(spec.machine->memory == 256ULL << 20);
    CHECK(spec.machine->firmware == "bios");
    CHECK(spec.machine->on_crash == "restart");
    CHECK(spec.machine->uuid.empty());
    CHECK_FALSE(scene.resolve("image: x\n").machine);
}

TEST_CASE("a container's template makes a VM with --kind, whose limits fit around the same processes") {
    Scene scene;
    const std::string text = "kind: lxc\nimage: x\nlimits: {memory: 64M, cpus: 2.5}\nioc: {st-cmd: /a}\n";
    CHECK(scene.resolve(text).kind == "lxc");
    GuestSpec spec = scene.resolve(text, "kvm");
    CHECK(spec.kind == "kvm");
    CHECK(spec.machine->memory == 192ULL << 20);
    CHECK(spec.machine->cpus == 3);
    CHECK(spec.ioc->st_cmd == "/a");
    const std::string both = "image: x\nmachine: {memory: 1G}\ncapabilities: [net_raw]\n";
    CHECK(scene.resolve(both, "kvm").machine->memory == 1ULL << 30);
    CHECK_FALSE(scene.resolve(both).machine);
    CHECK(scene.resolve("kind: kvm\nimage: x\n", "lxc").kind == "lxc");
    CHECK_THAT(scene.failure(text, "vmware"), Contains("--kind: kind: expected lxc or kvm, not 'vmware'"));
}

TEST_CASE("the templates that are shipped for servers work, the services for both kinds") {
    auto shipped = [](const std::string& name, const std::string& kind,
                      std::vector<std::pair<std::string, std::string>> set) {
        Request request;
        request.name = "srv1";
        request.template_name = name;
        request.kind = kind;
        request.set = std::move(set);
        return clara::resolve(request, default_site());
    };
    GuestSpec server = shipped("vm-server", "", {{"memory", "4G"}, {"machine.memory-min", "1G"}});
    CHECK(server.kind == "kvm");
    CHECK(server.image == "minimal-vm");
    CHECK(server.machine->memory == 4ULL << 30);
    CHECK(server.machine->memory_min == 1ULL << 30);
    CHECK(server.disk == 20ULL << 30);
    CHECK(server.autostart);
    for (const char* kind : {"lxc", "kvm"}) {
        GuestSpec dhcp = shipped("service-dnsmasq", kind, {{"range", "10.87.0.200,10.87.0.250"}});
        CHECK(dhcp.kind == kind);
        CHECK(dhcp.image == "dnsmasq");
        CHECK_THAT(dhcp.files.at(0).content, Contains("\ndhcp-range=10.87.0.200,10.87.0.250,12h\n"));
        CHECK(dhcp.ports == std::vector<int>{53});
        GuestSpec db = shipped("service-mariadb", kind, {{"password", "x"}, {"user", "logger"}});
        CHECK(db.files.at(2).mode == 0600);
        CHECK_THAT(db.files.at(2).content,
                   Contains("CREATE USER IF NOT EXISTS 'logger'@'%' IDENTIFIED BY 'x';"));
        CHECK(db.machine.has_value() == (db.kind == "kvm"));
    }
    CHECK_THROWS_WITH(shipped("service-mariadb", "", {}), Contains("needs --set password="));
}

TEST_CASE("each kind refuses what only the other has") {
    Scene scene;
    auto lxc = [&](const std::string& keys, const std::string& with) {
        CHECK_THAT(scene.failure("image: x\n" + keys + "\n"), Contains(with));
    };
    lxc("disks: [{name: a, size: 1G}]", "t.yaml:2:8: disks: only a VM (kind: kvm) has it");
    lxc("networks: [{network: controls}]", "networks: only a VM");
    lxc("installer: /etc/passwd", "installer: only a VM");
    lxc("devices: [{usb: \"0403:6001\"}]", "t.yaml:2:11: devices.usb: a container takes the device's path");
    auto kvm = [&](const std::string& keys, const std::string& with) {
        CHECK_THAT(scene.failure("kind: kvm\nimage: x\n" + keys + "\n"), Contains(with));
    };
    kvm("privileged: true", "t.yaml:3:13: privileged: root of a VM is never root of the host");
    kvm("mounts: [{host: /srv, guest: /a, optional: true}]", "t.yaml:3:10: mounts.optional:");
    kvm("devices: [{host: /dev/sda}]", "t.yaml:3:11: devices: a VM takes serial lines");
    kvm("devices: [{host: /dev/ttyS0}, {host: /dev/ttyS1}, {host: /dev/ttyS2}, {host: /dev/ttyS3}]",
        "t.yaml:3:71: devices: a VM takes 3 serial lines");
    kvm("devices: [{host: /dev/ttyS0, usb: \"0403:6001\"}]", "each needs host (or, in a VM, usb)");
}

TEST_CASE("hardware that cannot be is refused, all of it in one go") {
    Scene scene;
    auto message = scene.failure(R"(kind: kvm
image: x
limits: {cpus: 4, memory: 2G}
machine:
  cpus: 2
  memory: 64M
  memory-min: 128M
  tcg-cache: 1M
disks: [{name: a, size: 1G}, {name: a, size: 1K}]
networks:
  - {network: office}
  - {network: controls, mac: "01:00:5e:00:00:01"}
)");
    for (const char* part :
         {"t.yaml:3:9: limits.cpus: the VM has only 2", "t.yaml:5:3: machine.memory: at least 96.0 MiB",
          "machine.memory: less than limits.memory (2.0 GiB)", "machine.memory-min: more than machine.memory",
          "machine.tcg-cache: at least", "t.yaml:9:30: disk 'a' is there twice", "t.yaml:9:30: disks.size",
          "t.yaml:11:5: unknown network 'office' (known: controls)",
          "t.yaml:12:5: networks.mac: a group's address"})
        CHECK_THAT(message, Contains(part));

    message = scene.failure(R"(kind: kvm
image: x
machine: {firmware: coreboot, cpu: "a b", uuid: 1-2, watchdog: bark, cpus: 0}
disks: [{name: a/b, size: 1G}, {size: 1G}]
devices: [{usb: ftdi}]
)");
    for (const char* part :
         {"t.yaml:3:21: machine.firmware: expected bios or uefi", "machine.cpu: a CPU's model",
          "machine.uuid: expected a UUID", "machine.watchdog: expected none or reset",
          "machine.cpus: expected 1 to", "t.yaml:4:16: disks.name: ", "t.yaml:4:32: missing key 'disks.name'",
          "devices.usb: a USB device is"})
        CHECK_THAT(message, Contains(part));
}

TEST_CASE("an installer stands in for an image, and nothing is placed beside it") {
    Scene scene;
    std::ofstream(scene.dir / "debian.iso") << "iso";
    GuestSpec spec = scene.resolve("kind: kvm\ninstaller: debian.iso\n");
    CHECK(spec.installer == scene.dir / "debian.iso");
    CHECK(spec.machine->display == "vnc");
    CHECK(scene.resolve("kind: kvm\ninstaller: debian.iso\nmachine: {display: none}\n").machine->display ==
          "none");
    CHECK_THAT(scene.failure("kind: kvm\nimage: x\ninstaller: debian.iso\n"), Contains("exclude each other"));
    CHECK_THAT(scene.failure("kind: kvm\ninstaller: none.iso\n"),
               Contains("t.yaml:2:12: ") && Contains("no such file"));
    CHECK_THAT(scene.failure("kind: kvm\ninstaller: debian.iso\nioc: {st-cmd: /a}\n"),
               Contains("t.yaml:3:6: ioc: nothing can be placed"));
    CHECK_THAT(scene.failure("kind: kvm\n"), Contains("missing key 'image'") && Contains("installer"));
}

TEST_CASE("guest.yaml of a VM reads back as it was written, and always has a UUID") {
    Scene scene;
    GuestSpec spec = scene.resolve(R"(kind: kvm
image: x
machine: {cpus: 4, memory: 4G, memory-min: 1G, firmware: uefi, chipset: q35, cpu: EPYC, disk: sata, nic: e1000,
          display: vnc, watchdog: pause, on-crash: preserve, tcg-cache: 32M}
disks: [{name: data, size: 20G, bus: sata}]
networks: [{network: controls, model: e1000}]
devices: [{usb: "0403:6001"}, {host: /dev/ttyUSB0, guest: /dev/ttyPS1}]
)");
    spec.nic.mac = *Mac::parse("02:c1:a7:00:00:01");
    CHECK_THROWS_WITH(read_guest(write_guest(spec), "g"), Contains("missing key 'machine.uuid'"));
    spec.machine->uuid = "6f1c2b3a-0d4e-4f5a-8b6c-7d8e9f0a1b2c";
    const std::string text = write_guest(spec);
    const GuestSpec back = read_guest(text, "guest.yaml");
    CHECK(write_guest(back) == text);
    CHECK(back.machine->memory_min == 1ULL << 30);
    CHECK(back.machine->cpu == "EPYC");
    CHECK(back.disks.at(0).size == 20ULL << 30);
    CHECK(back.networks.at(0).model == "e1000");
    CHECK(back.devices.at(0).usb == "0403:6001");
}

TEST_CASE("the MACs of further cards follow from the first, and are nobody's first") {
    const Mac first = *Mac::parse("02:c1:a7:12:34:56");
    CHECK(further_mac(first, 0).str() == "02:c1:a8:12:34:56");
    CHECK(further_mac(first, 5).str() == "02:c1:ad:12:34:56");
}
