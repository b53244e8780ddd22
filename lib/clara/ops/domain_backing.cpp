#include "clara/ops/domain_backing.hpp"

#include "clara/base/xml.hpp"
#include "clara/ops/domain_read.hpp"

namespace clara {

std::string with_backing(const std::string& xml, Backing backing, const std::string& where) {
    const XmlDocument document = XmlDocument::parse(xml, where);
    for (const XmlElement element : document.root().find("devices").all("disk")) {
        const DomainDisk disk = domain_part::disk(element);
        if (!disk.own() || disk.type != "file") continue;
        if (const XmlElement old = element.find("backingStore")) old.remove();
        if (backing == Backing::none) element.find("source").add_after("backingStore");
    }
    return document.text();
}

std::string with_disks_in(const std::string& folder, const std::string& xml, const std::string& where) {
    const XmlDocument document = XmlDocument::parse(xml, where);
    auto moved = [&](const std::string& path) { return folder + "/" + path.substr(path.rfind('/') + 1); };
    for (const XmlElement element : document.root().find("devices").all("disk")) {
        const DomainDisk disk = domain_part::disk(element);
        if (disk.own() && disk.type == "file") element.find("source").set("file", moved(disk.source));
    }
    if (const XmlElement nvram = document.root().find("os/nvram"); nvram && !nvram.text().empty())
        nvram.set_text(moved(nvram.text()));
    return document.text();
}

}  // namespace clara
