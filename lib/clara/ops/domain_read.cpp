#include "clara/ops/domain_read.hpp"

#include <charconv>
#include <limits>

#include "clara/base/error.hpp"

namespace clara {
namespace {

constexpr const char* mark_uri = "https://clara.control/guest/1";  // as ops/domain_xml writes it

/// Bytes of <memory unit='KiB'>; libvirt's units (formatdomain.html, "memory").
std::uint64_t bytes_of(XmlElement memory) {
    const std::string text = memory.text(), unit = memory.get("unit");
    std::uint64_t value = 0;
    auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), value);
    std::uint64_t factor = 1024;
    for (auto [name, bytes] : {std::pair{"b", 1ULL},
                               {"bytes", 1ULL},
                               {"KB", 1000ULL},
                               {"MB", 1000000ULL},
                               {"M", 1ULL << 20},
                               {"MiB", 1ULL << 20},
                               {"GB", 1000000000ULL},
                               {"G", 1ULL << 30},
                               {"GiB", 1ULL << 30},
                               {"TiB", 1ULL << 40}})
        if (unit == name) factor = bytes;
    const bool good = error == std::errc{} && value <= std::numeric_limits<std::uint64_t>::max() / factor;
    return good ? value * factor : 0;
}

int number(const std::string& text, int otherwise) {
    int value = otherwise;
    std::from_chars(text.data(), text.data() + text.size(), value);
    return value;
}

std::string source_of(XmlElement source) {
    if (!source) return "";
    for (const char* attribute : {"file", "dev", "dir"})
        if (source.has(attribute)) return source.get(attribute);
    if (source.has("volume")) return source.get("pool") + "/" + source.get("volume");
    if (source.has("protocol")) return source.get("protocol") + ":" + source.get("name");
    return source.has("path") ? source.get("path") : "";
}

DomainNic nic_of(XmlElement interface) {
    DomainNic nic;
    nic.mac = Mac::parse(interface.find("mac") ? interface.find("mac").get("address") : "");
    nic.type = interface.get("type");
    if (XmlElement source = interface.find("source"))
        for (const char* attribute : {"bridge", "network", "dev"})
            if (nic.source.empty()) nic.source = source.get(attribute);
    if (XmlElement target = interface.find("target")) nic.target = target.get("dev");
    return nic;
}

bool boots_uefi(XmlElement os) {
    if (os.get("firmware") == "efi") return true;
    XmlElement loader = os.find("loader");
    return loader && (loader.get("type") == "pflash" || os.find("nvram"));
}

}  // namespace

namespace domain_part {

XmlElement root(const XmlDocument& document, const std::string& where) {
    XmlElement domain = document.root();
    if (domain.name() != "domain")
        throw Error(ErrorKind::usage, where + ": expected <domain>, not <" + domain.name() + ">");
    return domain;
}

XmlElement mark(XmlElement domain) {
    for (XmlElement element : domain.find("metadata").all("guest"))
        if (element.uri() == mark_uri) return element;
    return {};
}

DomainDisk disk(XmlElement element) {
    DomainDisk disk;
    disk.device = element.has("device") ? element.get("device") : "disk";
    disk.type = element.has("type") ? element.get("type") : "file";
    disk.source = source_of(element.find("source"));
    if (XmlElement target = element.find("target")) {
        disk.target = target.get("dev");
        disk.bus = target.get("bus");
    }
    if (XmlElement driver = element.find("driver")) disk.format = driver.get("type");
    disk.read_only = static_cast<bool>(element.find("readonly"));
    disk.shareable = static_cast<bool>(element.find("shareable"));
    return disk;
}

std::string nvram(XmlElement domain) {
    XmlElement nvram = domain.find("os/nvram");
    if (!nvram) return "";
    XmlElement source = nvram.find("source");
    return source ? source_of(source) : nvram.text();
}

}  // namespace domain_part

DomainFacts read_domain(const std::string& xml, const std::string& where) {
    const XmlDocument document = XmlDocument::parse(xml, where);
    const XmlElement domain = domain_part::root(document, where);
    DomainFacts facts;
    auto text = [&](const char* path) { return domain.find(path) ? domain.find(path).text() : ""; };
    facts.name = text("name");
    if (facts.name.empty()) throw Error(ErrorKind::usage, where + ": the domain has no name");
    facts.uuid = text("uuid");
    facts.type = domain.get("type");
    if (XmlElement type = domain.find("os/type")) facts.machine = type.get("machine");
    if (XmlElement os = domain.find("os")) facts.uefi = boots_uefi(os);
    facts.nvram = domain_part::nvram(domain);
    if (XmlElement memory = domain.find("memory")) facts.memory = bytes_of(memory);
    facts.cpus = number(text("vcpu"), 1);
    const XmlElement devices = domain.find("devices");
    for (XmlElement disk : devices.all("disk")) facts.disks.push_back(domain_part::disk(disk));
    for (XmlElement nic : devices.all("interface")) facts.nics.push_back(nic_of(nic));
    for (XmlElement screen : devices.all("graphics")) facts.graphics.push_back(screen.get("type"));
    if (XmlElement mark = domain_part::mark(domain)) {
        facts.guest = mark.get("name");
        facts.pool = mark.get("pool");
    }
    return facts;
}

}  // namespace clara
