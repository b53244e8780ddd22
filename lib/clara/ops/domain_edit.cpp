#include "clara/ops/domain_edit.hpp"

#include <cctype>
#include <set>

#include "clara/base/xml.hpp"
#include "clara/ops/domain_edit_devices.hpp"
#include "clara/ops/domain_read.hpp"
#include "clara/ops/domain_xml.hpp"

namespace clara {
namespace {

void set_or_add(XmlElement domain, const char* name, const std::string& text, const char* after) {
    if (XmlElement element = domain.find(name))
        element.set_text(text);
    else
        domain.find(after).add_after(name, text);
}

void edit_type(XmlElement domain, const std::string& type) {
    domain.set("type", type);
    // Emulation has no CPU of the host's to pass through; what it can do at most comes nearest.
    XmlElement cpu = domain.find("cpu");
    if (type == "qemu" && cpu && cpu.get("mode") == "host-passthrough") {
        cpu.set("mode", "maximum");
        cpu.drop("migratable");
    }
}

void edit_mark(XmlElement domain, const DomainEdits& edits) {
    XmlElement mark = domain_part::mark(domain);
    if (!mark) {
        XmlElement metadata = domain.find("metadata");
        if (!metadata) metadata = domain.find("uuid").add_after("metadata");
        mark = metadata.add("guest").in_space("clara", "https://clara.control/guest/1");
    }
    mark.set("name", edits.name).set("pool", edits.pool);
}

/// <sysinfo type='smbios'>: libvirt demands that its UUID is the domain's.
void edit_smbios(XmlElement domain, const DomainEdits& edits) {
    for (XmlElement info : domain.all("sysinfo"))
        for (XmlElement part : info.all())
            for (XmlElement entry : part.all("entry")) {
                if (entry.get("name") == "uuid") entry.set_text(edits.uuid);
                if (entry.get("name") == "serial" && !edits.serial.empty()) entry.set_text(edits.serial);
            }
}

/// libvirt tells the domain's own UUID inside, and has no two domains of one: QEMU takes the last word.
void keep_smbios_uuid(XmlElement domain, const std::string& uuid) {
    constexpr const char* qemu = "http://libvirt.org/schemas/domain/qemu/1.0";
    XmlElement line = domain.find("commandline");
    if (!line) line = domain.add("commandline").in_space("qemu", qemu);
    for (const std::string& word : {std::string("-smbios"), "type=1,uuid=" + uuid})
        line.add("arg").in_space("qemu", qemu).set("value", word);
}

void edit_size(XmlElement domain, const DomainEdits& edits) {
    if (edits.cpus) {
        const std::string cpus = std::to_string(edits.cpus);
        if (XmlElement count = domain.find("vcpu")) {
            count.drop("current");
            count.set_text(cpus);
        } else {
            domain.find("memory").add_after("vcpu", cpus);
        }
        // What was said of each processor of before.
        for (const char* part : {"vcpus", "cpu/topology", "cpu/numa"})
            if (XmlElement element = domain.find(part)) element.remove();
    }
    if (!edits.memory) return;
    const std::string kib = std::to_string(edits.memory >> 10);
    for (const char* part : {"memory", "currentMemory"})
        if (XmlElement element = domain.find(part)) {
            element.set("unit", "KiB");
            element.set_text(kib);
        }
}

void edit_nvram(XmlElement domain, const DomainEdits& edits) {
    XmlElement os = domain.find("os");
    if (!os) return;
    XmlElement nvram = os.find("nvram"), loader = os.find("loader");
    const std::string file = domain_file::nvram(edits.pool, edits.name);
    if (nvram && nvram.find("source")) {
        nvram.set("type", "file");
        nvram.find("source").remove();
        nvram.add("source").set("file", file);
    } else if (nvram) {
        nvram.set_text(file);
    } else if (os.get("firmware") == "efi" || (loader && loader.get("type") == "pflash")) {
        os.add("nvram", file);
    }
}

/// Labels that libvirt made for the running domain are no part of another's definition.
void edit_seclabels(XmlElement domain, Warnings& warnings) {
    for (XmlElement label : domain.all("seclabel")) {
        if (label.get("type") == "static")
            warnings.push_back("the security label of " + label.get("model") +
                               " stays as it is: both share it");
        else
            for (const char* part : {"label", "imagelabel"})
                if (XmlElement element = label.find(part)) element.remove();
    }
}

bool part_of_word(char c) {
    return std::isalnum(static_cast<unsigned char>(c)) || c == '-' || c == '_';
}

std::string lower(std::string text) {
    for (char& c : text) c = static_cast<char>(std::tolower(static_cast<unsigned char>(c)));
    return text;
}

/// As a word of its own: "ioc1" is in "name=ioc1" and not in "ioc12".
bool names(const std::string& text, const std::string& word) {
    for (auto at = text.find(word); at != std::string::npos; at = text.find(word, at + 1)) {
        const auto end = at + word.size();
        if ((at == 0 || !part_of_word(text[at - 1])) && (end == text.size() || !part_of_word(text[end])))
            return true;
    }
    return false;
}

/// What only the old domain should have: where something still says it, that is told and not guessed at.
struct OldWords {
    std::string name;              ///< found as a word of its own
    std::set<std::string> unique;  ///< UUID, MACs, files: found anywhere
};

OldWords old_words(const DomainFacts& old, const DomainEdits& edits) {
    OldWords words{old.name == edits.name ? "" : old.name, {lower(old.uuid), old.nvram}};
    for (const auto& disk : old.disks)
        if (disk.own()) words.unique.insert(disk.source);
    for (const auto& nic : old.nics)
        if (nic.mac) words.unique.insert(nic.mac->str());
    for (const auto& edit : edits.disks) {
        words.unique.erase(edit.source);
        words.unique.erase(edit.backing);
    }
    for (const auto& edit : edits.nics) words.unique.erase(edit.mac.str());
    for (const auto& kept : {std::string(), lower(edits.uuid), lower(edits.smbios_uuid),
                             domain_file::nvram(edits.pool, edits.name)})
        words.unique.erase(kept);
    return words;
}

void report(XmlElement element, const OldWords& words, Warnings& warnings) {
    for (const auto& [place, text] : element.own_texts()) {
        auto tell = [&, &where = place, &said = text](const std::string& word) {
            warnings.push_back(where + " still says " + word + ": " + said);
        };
        if (!words.name.empty() && names(text, words.name)) tell(words.name);
        for (const auto& word : words.unique)
            if (text.find(word) != text.npos || lower(text).find(word) != text.npos) tell(word);
    }
    for (XmlElement child : element.all()) report(child, words, warnings);
}

}  // namespace

EditedDomain edit_domain_xml(const std::string& xml, const DomainEdits& edits, const std::string& where) {
    const DomainFacts old = read_domain(xml, where);
    const XmlDocument document = XmlDocument::parse(xml, where);
    XmlElement domain = domain_part::root(document, where);
    EditedDomain edited;
    domain.drop("id");  // of the running domain
    if (!edits.type.empty()) edit_type(domain, edits.type);
    domain.find("name").set_text(edits.name);
    set_or_add(domain, "uuid", edits.uuid, "name");
    XmlElement genid = domain.find("genid");
    if (genid && !edits.genid.empty()) genid.set_text(edits.genid);
    edit_mark(domain, edits);
    edit_smbios(domain, edits);
    if (!edits.smbios_uuid.empty()) keep_smbios_uuid(domain, edits.smbios_uuid);
    edit_size(domain, edits);
    edit_nvram(domain, edits);
    edit_seclabels(domain, edited.warnings);
    XmlElement devices = domain.find("devices");
    if (!devices) devices = domain.add("devices");
    edit_disks(devices, edits, edited.warnings);
    edit_nics(devices, edits, edited.warnings);
    edit_consoles(devices, edits, edited.warnings);
    edit_screens(devices, edited.warnings);
    drop_passthrough(devices, edited.warnings);
    report(domain, old_words(old, edits), edited.warnings);
    edited.xml = document.text();
    return edited;
}

}  // namespace clara
