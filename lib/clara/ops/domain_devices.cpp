#include "clara/ops/domain_devices.hpp"

#include "clara/base/error.hpp"
#include "clara/ops/domain_xml.hpp"
#include "clara/ops/lxc_config.hpp"

namespace clara {
namespace {

/// Target names: vda, vdb ... and sda, sdb ..., each bus counted for itself.
class Targets {
  public:
    std::string next(const std::string& bus) {
        char& letter = bus == "virtio" ? virtio_ : bus == "ide" ? ide_ : sata_;
        return (bus == "virtio" ? "vd" : bus == "ide" ? "hd" : "sd") + std::string(1, letter++);
    }

  private:
    char virtio_ = 'a', sata_ = 'a', ide_ = 'a';
};

/// A qcow2 file of the guest's own.
XmlElement add_disk(XmlElement devices, const std::string& file, const std::string& image,
                    const Facts& facts) {
    XmlElement disk = devices.add("disk").set("type", "file").set("device", "disk");
    // Without the host's cache a guest's data is on disk when it was told so, and may move to another host
    // while it runs. File systems that cannot do that (tmpfs) get the cache; flushes are obeyed there as
    // well.
    disk.add("driver")
        .set("name", "qemu")
        .set("type", "qcow2")
        .set("cache", facts.direct_io ? "none" : "writeback")
        .set("discard", "unmap");
    disk.add("source").set("file", file);
    set_backing(disk.add("backingStore"), image);
    return disk;
}

void add_installer(XmlElement devices, const GuestSpec& spec, const std::string& target,
                   const std::string& bus) {
    XmlElement disk = devices.add("disk").set("type", "file").set("device", "cdrom");
    disk.add("driver").set("name", "qemu").set("type", "raw");
    disk.add("source")
        .set("file", spec.installer)
        .set("startupPolicy", "optional")  // once it is installed, the file may go
        .add("seclabel")
        .set("model", "dac")
        .set("relabel", "no");
    disk.add("target").set("dev", target).set("bus", bus);
    disk.add("readonly");
    disk.add("boot").set("order", "2");  // an empty disk does not boot, an installed one does
}

void add_nic(XmlElement devices, const std::string& bridge, Mac mac, const std::string& model,
             const std::string& target) {
    XmlElement nic = devices.add("interface").set("type", "bridge");
    nic.add("mac").set("address", mac.str());
    nic.add("source").set("bridge", bridge);
    nic.add("target").set("dev", target);
    nic.add("model").set("type", model);
    nic.add("rom").set("enabled", "no");  // it boots from its disk; looking for a PXE server takes seconds
}

void add_port(XmlElement devices, const char* name) {
    XmlElement channel = devices.add("channel").set("type", "unix");
    channel.add("source").set("mode", "bind");  // where: libvirt's to choose, and to tell
    channel.add("target").set("type", "virtio").set("name", name);
}

}  // namespace

void set_backing(XmlElement backing, const std::string& image) {
    if (image.empty()) return;
    backing.set("type", "file");
    backing.add("format").set("type", "qcow2");
    backing.add("source").set("file", image).add("seclabel").set("model", "dac").set("relabel", "no");
    backing.add("backingStore");
}

void add_disks(XmlElement devices, const GuestSpec& spec, const Facts& facts) {
    Targets targets;
    const std::string image = spec.image.empty() ? "" : domain_file::image(spec.pool, spec.image);
    XmlElement system = add_disk(devices, domain_file::disk(spec.pool, spec.name), image, facts);
    system.add("target").set("dev", targets.next(spec.machine->disk)).set("bus", spec.machine->disk);
    system.add("boot").set("order", "1");
    for (std::size_t i = 0; i < spec.disks.size(); ++i) {
        const ExtraDisk& extra = spec.disks[i];
        XmlElement disk = add_disk(devices, domain_file::disk(spec.pool, spec.name, i + 1), "", facts);
        disk.add("target").set("dev", targets.next(extra.bus)).set("bus", extra.bus);
        disk.add("serial", extra.name);
    }
    const std::string bus = spec.machine->chipset == "q35" ? "sata" : "ide";
    if (!spec.installer.empty()) add_installer(devices, spec, targets.next(bus), bus);
}

void add_nics(XmlElement devices, const GuestSpec& spec, const Site& site) {
    add_nic(devices, spec.nic.bridge, spec.nic.mac, spec.machine->nic, host_interface(spec.name));
    for (std::size_t i = 0; i < spec.networks.size(); ++i) {
        const ExtraNic& extra = spec.networks[i];
        const Mac mac = extra.mac.value != 0 ? extra.mac : further_mac(spec.nic.mac, i);
        add_nic(devices, site.network(extra.network).bridge, mac, extra.model,
                host_interface(spec.name + "_" + std::to_string(i + 2)));  // no guest's name has a '_'
    }
}

void add_consoles(XmlElement devices, const GuestSpec& spec) {
    XmlElement console = devices.add("serial").set("type", "pty");
    console.add("log").set("file", domain_file::console_log(spec.pool, spec.name)).set("append", "on");
    console.add("target").set("type", "isa-serial").set("port", "0");
    int port = 1;
    for (const auto& device : spec.devices) {
        if (!device.usb.empty()) continue;
        XmlElement line = devices.add("serial").set("type", "dev");
        line.add("source").set("path", device.host);
        line.add("target").set("type", "isa-serial").set("port", std::to_string(port++));
    }
    devices.add("console").set("type", "pty").add("target").set("type", "serial").set("port", "0");
    add_port(devices, agent_port);
    if (spec.ioc && spec.init == "clara") add_port(devices, console_port);
}

}  // namespace clara
