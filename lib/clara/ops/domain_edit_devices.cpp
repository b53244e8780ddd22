#include "clara/ops/domain_edit_devices.hpp"

#include <fmt/format.h>

#include <algorithm>

#include "clara/base/error.hpp"
#include "clara/ops/domain_devices.hpp"
#include "clara/ops/domain_read.hpp"

namespace clara {
namespace {

[[noreturn]] void refuse(const std::string& message) {
    throw Error(ErrorKind::refused, message);
}

XmlElement child(XmlElement parent, const char* name) {
    XmlElement found = parent.find(name);
    return found ? found : parent.add(name);
}

void edit_disk(XmlElement disk, const DiskEdit& edit, bool direct_io, Warnings& warnings) {
    // All that belongs to the old place goes with it: hosts, secrets, mirrors, what libvirt found out.
    for (const char* part : {"source", "backingStore", "mirror", "auth", "shareable", "transient"})
        if (XmlElement element = disk.find(part)) element.remove();
    if (XmlElement encryption = disk.find("encryption")) {
        encryption.remove();
        warnings.push_back(edit.target + ": its encryption is left out: the copy is readable as it is");
    }
    disk.set("type", edit.block ? "block" : "file");
    XmlElement driver = child(disk, "driver");
    driver.set("name", "qemu").set("type", edit.format).set("cache", direct_io ? "none" : "writeback");
    driver.drop("io");  // native works without the host's cache only
    XmlElement source = driver.add_after("source").set(edit.block ? "dev" : "file", edit.source);
    if (!edit.overlay) set_backing(source.add_after("backingStore"), edit.backing);
}

void plug_into(XmlElement interface, const std::string& bridge) {
    for (const char* part : {"source", "virtualport"})
        if (XmlElement element = interface.find(part)) element.remove();
    interface.set("type", "bridge");
    interface.find("mac").add_after("source").set("bridge", bridge);
}

}  // namespace

void edit_disks(XmlElement devices, const DomainEdits& edits, Warnings& warnings) {
    std::vector<std::string> seen;
    for (XmlElement element : devices.all("disk")) {
        const DomainDisk disk = domain_part::disk(element);
        auto edit = std::find_if(edits.disks.begin(), edits.disks.end(),
                                 [&](const DiskEdit& e) { return e.target == disk.target; });
        if (edit == edits.disks.end()) {
            if (disk.own())
                refuse(fmt::format("disk {} ({}) is not among what is copied", disk.target, disk.source));
            continue;
        }
        seen.push_back(disk.target);
        if (edit->drop) {
            element.remove();
            warnings.push_back(fmt::format("{} ({}) is not copied", disk.target, disk.source));
        } else {
            edit_disk(element, *edit, edits.direct_io, warnings);
        }
    }
    for (const auto& edit : edits.disks)
        if (std::count(seen.begin(), seen.end(), edit.target) != 1)
            refuse(fmt::format("the domain has no disk {}, or several", edit.target));
}

void edit_nics(XmlElement devices, const DomainEdits& edits, Warnings& warnings) {
    const auto interfaces = devices.all("interface");
    if (interfaces.size() != edits.nics.size())
        refuse(fmt::format("the domain has {} network cards, not {}", interfaces.size(), edits.nics.size()));
    for (std::size_t i = 0; i < interfaces.size(); ++i) {
        XmlElement interface = interfaces[i];
        const NicEdit& edit = edits.nics[i];
        child(interface, "mac").set("address", edit.mac.str());
        if (XmlElement target = interface.find("target")) target.remove();
        if (!edit.bridge.empty()) plug_into(interface, edit.bridge);
        XmlElement before = interface.find(interface.find("source") ? "source" : "mac");
        if (!edit.target.empty()) before.add_after("target").set("dev", edit.target);
        if (edit.unplugged) child(interface, "link").set("state", "down");
        if (XmlElement port = interface.find("virtualport"); port && port.find("parameters"))
            port.find("parameters").drop("interfaceid");
        if (interface.find("filterref/parameter"))
            warnings.push_back(fmt::format("network card {}: its filter keeps the parameters it had", i + 1));
    }
}

}  // namespace clara
