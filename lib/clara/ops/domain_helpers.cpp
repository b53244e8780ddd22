#include "clara/base/error.hpp"
#include "clara/ops/domain_devices.hpp"
#include "clara/ops/domain_xml.hpp"

namespace clara {
namespace {

constexpr const char* balloon_period =
    "10";  // seconds between its statistics: clara-list shows memory in use

void add_balloon(XmlElement devices, const Machine& machine) {
    XmlElement balloon = devices.add("memballoon").set("model", "virtio");
    if (machine.memory_min != 0) balloon.set("autodeflate", "on");
    balloon.set("freePageReporting", "on");
    balloon.add("stats").set("period", balloon_period);
}

void add_watchdog(XmlElement devices, const GuestSpec& spec) {
    if (spec.machine->watchdog == "none") return;
    // clara-init feeds the ib700 by its two I/O ports, as Debian's cloud kernel has no watchdog driver. Other
    // systems find the i6300esb on the PCI bus and load its driver by themselves.
    devices.add("watchdog")
        .set("model", spec.init == "clara" ? "ib700" : "i6300esb")
        .set("action", spec.machine->watchdog);
}

void add_mounts(XmlElement devices, const GuestSpec& spec, const Facts& facts) {
    for (std::size_t i = 0; i < spec.mounts.size(); ++i) {
        const Mount& mount = spec.mounts[i];
        XmlElement share = devices.add("filesystem").set("type", "mount").set("accessmode", "passthrough");
        share.add("driver").set("type", "virtiofs");
        // virtiofsd knows no "read-only", and what root inside mounts read-only, root inside mounts again.
        if (mount.read_only) share.add("binary").set("path", facts.share_helper);
        share.add("source").set("dir", mount.host);
        share.add("target").set("dir", mount_tag(i));
    }
}

void add_usb(XmlElement devices, const GuestSpec& spec) {
    bool used = spec.machine->display != "none";
    for (const auto& device : spec.devices) {
        if (device.usb.empty()) continue;
        used = true;
        XmlElement host =
            devices.add("hostdev").set("mode", "subsystem").set("type", "usb").set("managed", "yes");
        XmlElement source = host.add("source").set("startupPolicy", "optional");
        source.add("vendor").set("id", "0x" + device.usb.substr(0, 4));
        source.add("product").set("id", "0x" + device.usb.substr(5));
    }
    // libvirt would add a controller of its own, which costs CPU time although nothing is connected.
    devices.add("controller").set("type", "usb").set("model", used ? "qemu-xhci" : "none");
}

void add_display(XmlElement devices, const Machine& machine) {
    if (machine.display == "none") return;
    devices.add("input").set("type", "tablet").set("bus", "usb");
    XmlElement screen = devices.add("graphics").set("type", "vnc").set("port", "-1").set("autoport", "yes");
    screen.add("listen").set("type", "address").set("address", "127.0.0.1");
    devices.add("video").add("model").set("type", "vga");
}

}  // namespace

void add_helpers(XmlElement devices, const GuestSpec& spec, const Facts& facts) {
    add_mounts(devices, spec, facts);
    add_usb(devices, spec);
    add_display(devices, *spec.machine);
    add_watchdog(devices, spec);
    add_balloon(devices, *spec.machine);
    devices.add("rng").set("model", "virtio").add("backend", "/dev/urandom").set("model", "random");
    devices.add("panic").set("model", "isa");
}

}  // namespace clara
