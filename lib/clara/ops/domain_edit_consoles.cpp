#include <fmt/format.h>

#include "clara/base/error.hpp"
#include "clara/ops/domain_edit_devices.hpp"
#include "clara/ops/domain_xml.hpp"

namespace clara {
namespace {

/// The copy's folder for a file of the domain that was somewhere else.
std::string beside(const std::string& file, const DomainEdits& edits) {
    const std::string console = domain_file::console_log(edits.pool, edits.name);
    return console.substr(0, console.rfind('/') + 1) + file.substr(file.rfind('/') + 1);
}

void edit_source(XmlElement device, const DomainEdits& edits, Warnings& warnings) {
    XmlElement source = device.find("source");
    if (!source) return;
    const std::string type = device.get("type"), path = source.get("path");
    if (type == "pty") {
        source.remove();  // of the running domain
    } else if (type == "unix" && source.get("mode") == "bind" && device.name() == "channel") {
        source.drop("path");  // libvirt chooses one, and tells it
    } else if ((type == "unix" && source.get("mode") == "bind") || type == "file" || type == "pipe") {
        source.set("path", beside(path, edits));
    } else if (type == "tcp" || type == "udp") {
        warnings.push_back(fmt::format("{} stays at {}:{}: only one domain can have it", device.path(),
                                       source.get("host"), source.get("service")));
    }
}

/// The first serial line's log is the console's, whatever it was called.
void edit_log(XmlElement device, const DomainEdits& edits) {
    XmlElement log = device.find("log");
    if (!log) return;
    XmlElement target = device.find("target");
    const bool first = (device.name() == "serial" || device.name() == "console") &&
                       (!target || !target.has("port") || target.get("port") == "0");
    log.set("file",
            first ? domain_file::console_log(edits.pool, edits.name) : beside(log.get("file"), edits));
}

}  // namespace

void edit_consoles(XmlElement devices, const DomainEdits& edits, Warnings& warnings) {
    for (const char* name : {"serial", "parallel", "console", "channel"})
        for (XmlElement device : devices.all(name)) {
            if (device.get("type") == "dev") continue;  // drop_passthrough tells of it
            device.drop("tty");
            edit_source(device, edits, warnings);
            edit_log(device, edits);
        }
}

void edit_screens(XmlElement devices, Warnings& warnings) {
    for (XmlElement screen : devices.all("graphics")) {
        if (screen.get("autoport") == "no" || (screen.has("port") && screen.get("port") != "-1")) {
            if (screen.get("autoport") == "no")
                warnings.push_back(fmt::format("{}: another port than {}, libvirt chooses it", screen.path(),
                                               screen.get("port")));
            for (const char* attribute : {"port", "tlsPort", "websocket"}) screen.drop(attribute);
            screen.set("autoport", "yes");
        }
        screen.drop("socket");
        for (XmlElement listen : screen.all("listen")) listen.drop("socket");
    }
}

void drop_passthrough(XmlElement devices, Warnings& warnings) {
    for (XmlElement device : devices.all()) {
        const std::string name = device.name();
        if (name == "memory" && device.find("source/path"))
            throw Error(ErrorKind::refused, device.path() + ": memory that lies in a file cannot be copied",
                        "take it out of the domain first: virsh edit");
        const bool line =
            (name == "serial" || name == "parallel" || name == "console") && device.get("type") == "dev";
        const bool direct = name == "interface" && device.get("type") == "hostdev";
        if (direct)
            throw Error(ErrorKind::refused, device.path() + ": a network card of the host cannot be copied",
                        "replace it by one on a bridge first: virsh edit");
        if (name == "hostdev" || name == "lease" || line) {
            warnings.push_back(device.path() + " is left out: only one domain can have it");
            device.remove();
        } else if (name == "tpm") {
            warnings.push_back(device.path() +
                               ": its TPM begins empty; keys that were sealed in it are not there");
        }
    }
}

}  // namespace clara
