#include "clara/drivers/clone_source.hpp"

#include <fmt/format.h>
#include <sys/stat.h>

#include <algorithm>
#include <cerrno>
#include <filesystem>

#include "clara/base/error.hpp"
#include "clara/drivers/disks/chain.hpp"
#include "clara/drivers/disks/inspect.hpp"
#include "clara/drivers/disks/qemu_img.hpp"
#include "clara/drivers/libvirt/hypervisor.hpp"
#include "clara/drivers/storage/index.hpp"
#include "clara/drivers/storage/layout.hpp"
#include "clara/ops/domain_read.hpp"
#include "clara/ops/lifecycle.hpp"
#include "clara/spec/names.hpp"

namespace clara {
namespace {

using Kind = SourceName::Kind;

bool has_image(const std::string& name, const Facts& facts) {
    return std::any_of(facts.images.begin(), facts.images.end(), [&](const ImageInfo& image) {
        return image.kind == "kvm" && (image.name == name || image.id() == name);
    });
}

/// A domain that is a guest of ours is told as that.
bool has_domain(const std::string& name, const Facts& facts) {
    return facts.kvm_defined.count(name) > 0 && !facts.guests.count(name);
}

bool has(Kind kind, const std::string& name, const Facts& facts) {
    return kind == Kind::image   ? has_image(name, facts)
           : kind == Kind::guest ? facts.guests.count(name) > 0
                                 : has_domain(name, facts);
}

[[noreturn]] void unknown(const std::string& text, const Facts& facts) {
    check_libvirt("kvm", facts);
    std::vector<std::string> names(facts.kvm_defined.begin(), facts.kvm_defined.end());
    for (const auto& [name, guest] : facts.guests) names.push_back(name);
    for (const auto& image : facts.images)
        if (image.kind == "kvm") names.push_back(image.name);
    auto near = nearest(text, names);
    throw Error(ErrorKind::usage, fmt::format("there is no guest, image or domain '{}'", text),
                near.empty() ? "clara-list, clara-image list and virsh list --all show them; a file is named "
                               "by its path, with a '/'"
                             : fmt::format("did you mean '{}'?", near));
}

/// Bytes of a disk and all that it stands on, without a look at what changes.
std::uint64_t taken(const DomainDisk& disk) {
    std::uint64_t bytes = 0;
    if (disk.type != "file") return 0;
    for (const auto& link : disk_chain(disk.source, disk.format)) {
        struct stat st {};
        if (::stat(link.path.c_str(), &st) != 0) throw system_error("cannot examine " + link.path, errno);
        bytes += static_cast<std::uint64_t>(st.st_blocks) * 512;
    }
    return bytes;
}

/// Of a guest or domain: its XML says where the disks are.
void look_at_disks(CloneSource& source) {
    const DomainFacts domain = read_domain(source.xml, source.what);
    bool first = true;
    for (const auto& disk : domain.disks) {
        if (!disk.own() || disk.format.empty()) continue;  // the planner says what is wrong with the latter
        if (source.running || (disk.type != "file" && disk.type != "block")) {
            source.fact.needs += taken(disk);
            continue;
        }
        SourceFact fact = inspect_source(disk.source, disk.format, source.kind != CloneSource::Kind::guest);
        fact.needs += source.fact.needs;
        if (first)
            source.fact = fact;
        else
            source.fact.needs = fact.needs;
        first = false;
    }
}

std::string xml_of(const std::string& name, const Site& site, const Facts& facts) {
    auto kept = facts.domain_xml.find(name);  // libvirt has it no more, the pool does
    if (kept != facts.domain_xml.end()) return kept->second;
    return open_hypervisor(site.libvirt_uri, Access::change)->xml(name);
}

CloneSource read_guest_source(const std::string& name, const std::string& pool, const Site& site,
                              const Facts& facts) {
    CloneSource source{.kind = CloneSource::Kind::guest, .what = "guest " + name};
    const GuestFact& guest = known_guest(name, facts);
    if (!guest.problem.empty()) throw Error(ErrorKind::refused, guest.problem);
    source.spec = load_guest(pool, name);
    if (!source.spec) throw Error(ErrorKind::busy, "guest " + name + " was removed just now");
    source.running = guest.state != GuestState::stopped;
    if (guest.kind != "kvm" || !guest.lease_holder.empty()) return source;  // the planner refuses it
    source.xml = xml_of(name, site, facts);
    look_at_disks(source);
    return source;
}

std::string format_for(const std::string& path, const std::string& said, bool block) {
    if (!said.empty()) return said;
    if (block) return "raw";
    if (auto format = format_of_name(path)) return *format;
    throw Error(ErrorKind::usage, path + " does not tell its format by its name",
                "say it: --format raw, qcow2, vmdk or vdi");
}

CloneSource read_disk_source(const std::string& path, const std::string& format) {
    struct stat st {};
    if (::stat(path.c_str(), &st) != 0) throw Error(ErrorKind::usage, system_error(path, errno).message());
    const bool block = S_ISBLK(st.st_mode);
    if (!block && !S_ISREG(st.st_mode))
        throw Error(ErrorKind::usage, path + " is neither a file nor a block device");
    CloneSource source{.kind = CloneSource::Kind::disk, .what = path};
    source.path = path;
    source.format = format_for(path, format, block);
    check_disk_format(source.format);
    source.fact = inspect_source(path, source.format, true);
    return source;
}

}  // namespace

SourceName find_source(const std::string& text, const Facts& facts) {
    if (text.starts_with("ssh://")) return {Kind::remote, text};
    if (text.find('/') != std::string::npos) return {Kind::disk, std::filesystem::absolute(text).string()};
    const std::vector<std::pair<Kind, std::string>> kinds{
        {Kind::guest, "guest"}, {Kind::image, "image"}, {Kind::domain, "domain"}};
    std::vector<SourceName> found;
    std::vector<std::string> names;
    for (const auto& [kind, prefix] : kinds) {
        const bool said = text.starts_with(prefix + ":");
        const std::string name = said ? text.substr(prefix.size() + 1) : text;
        if (said && !has(kind, name, facts)) unknown(name, facts);
        if (!has(kind, name, facts)) continue;
        found.push_back({kind, name});
        names.push_back(prefix + ":" + name);
    }
    if (found.empty()) unknown(text, facts);
    if (found.size() > 1)
        throw Error(ErrorKind::usage, fmt::format("'{}' names more than one thing", text),
                    fmt::format("say which: {}", fmt::join(names, ", ")));
    return found.front();
}

CloneSource read_source(const SourceName& name, const std::string& format, const std::string& pool,
                        const Site& site, const Facts& facts) {
    if (name.kind == Kind::disk) return read_disk_source(name.name, format);
    if (name.kind == Kind::guest) return read_guest_source(name.name, pool, site, facts);
    CloneSource source{.kind = CloneSource::Kind::domain, .what = "domain " + name.name};
    auto host = open_hypervisor(site.libvirt_uri, Access::change);
    source.xml = host->xml(name.name);
    const auto state = host->find(name.name);
    source.running = state && state->run != DomainState::Run::off;
    look_at_disks(source);
    return source;
}

CloneSource fetched_source(const std::string& url, const std::string& name, const std::string& pool) {
    CloneSource source{.kind = CloneSource::Kind::disk, .what = url};
    source.path = pool::fetched(pool, name);
    source.format = "qcow2";
    source.fetched = true;
    source.fact = inspect_source(source.path, source.format, false);
    return source;
}

}  // namespace clara
