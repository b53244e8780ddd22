#include "clara/ops/clone.hpp"

#include <fmt/format.h>

#include "clara/base/error.hpp"
#include "clara/base/units.hpp"
#include "clara/ops/clone_spec.hpp"
#include "clara/ops/create.hpp"
#include "clara/ops/create_checks.hpp"
#include "clara/ops/create_vm.hpp"
#include "clara/ops/domain_edit.hpp"
#include "clara/ops/domain_xml.hpp"
#include "clara/ops/lifecycle.hpp"
#include "clara/ops/lxc_config.hpp"

namespace clara {
namespace {

// Beside the copies: the guest's own small files.
constexpr std::uint64_t spare_room = 4 << 20;

[[noreturn]] void refuse(std::string message, std::string hint) {
    throw Error(ErrorKind::refused, std::move(message), std::move(hint));
}

void check_source(const CloneSource& source, const Facts& facts, const CloneOptions& options) {
    if (source.kind == CloneSource::Kind::guest) {
        const GuestFact& guest = known_guest(source.spec->name, facts);
        check_owner(guest);
        if (guest.kind != "kvm")
            refuse(source.what + " is a container, and only virtual machines are cloned",
                   "clara-ioc-create makes another one from its template");
        if (guest.state == GuestState::stopping || guest.state == GuestState::starting)
            throw Error(ErrorKind::busy, fmt::format("{} is just {}", source.what, to_string(guest.state)),
                        "run it again in a moment");
    }
    if (source.running && options.rate)
        throw Error(ErrorKind::usage,
                    "--bwlimit: libvirt copies the disks of " + source.what + " itself, as it runs",
                    "leave it out, or stop the guest first");
    if (!options.linked) return;
    if (source.running)
        throw Error(ErrorKind::usage, source.what + " runs: its copy is always a full one",
                    "leave out --linked, or stop it first");
    if (source.fact.image.empty())
        throw Error(ErrorKind::usage, source.what + " is not linked to an image of this pool",
                    "leave out --linked, or make an image of it: clara-image import");
}

void check_space(const CloneSource& source, const std::string& pool, const Facts& facts,
                 const CloneOptions& options) {
    if (options.linked || options.overlay || source.fetched ||
        facts.pool_free >= source.fact.needs + spare_room)
        return;
    refuse(fmt::format("the pool {} has {} free, and the copy takes {}", pool, size_text(facts.pool_free),
                       size_text(source.fact.needs + spare_room)),
           "make room, or take another --pool");
}

CopyDisks copy_of(const GuestSpec& spec, const CloneSource& source, const std::optional<DomainFacts>& domain,
                  const Site& site, const CloneOptions& options) {
    CopyDisks copy{spec.pool, spec.name, source.what};
    copy.rate = options.rate;
    if (!domain) {
        copy.disks = {{.source = source.path,
                       .format = source.format,
                       .file = domain_file::disk_name(0),
                       .foreign = !source.fetched,
                       .fetched = source.fetched}};
        return copy;
    }
    copy.nvram = domain->uefi ? domain->nvram : "";
    if (source.running) {
        copy.home = site.libvirt_uri;
        copy.domain = domain->name;
    }
    for (const auto& disk : domain->disks) {
        if (!disk.own()) continue;
        if (!source.running && disk.type != "file" && disk.type != "block")
            refuse(fmt::format("disk {} of {} is of type {}, which only libvirt itself reads", disk.target,
                               source.what, disk.type),
                   "start it, and clone it while it runs");
        if (!source.running && disk.format.empty())
            refuse(
                fmt::format("the XML of {} does not say which format disk {} has", source.what, disk.target),
                "add type='raw' or 'qcow2' to its <driver>: virsh edit " + domain->name);
        copy.disks.push_back({.source = disk.source,
                              .format = disk.format,
                              .file = domain_file::disk_name(copy.disks.size()),
                              .target = disk.target,
                              .image = copy.disks.empty() ? spec.image : "",
                              .foreign = source.kind == CloneSource::Kind::domain,
                              .overlay = options.overlay});
    }
    if (copy.disks.empty())
        refuse(source.what + " has no disk of its own", "clara-ioc-create makes guests from images");
    return copy;
}

std::vector<NicEdit> nics_of(const GuestSpec& spec, const DomainFacts& domain, const CloneOptions& options,
                             std::vector<std::string>& warnings) {
    std::vector<NicEdit> nics;
    for (std::size_t i = 0; i < domain.nics.size(); ++i) {
        const Mac own = domain.nics[i].mac.value_or(further_mac(spec.nic.mac, i));
        NicEdit nic{i == 0 ? spec.nic.mac : options.exact ? own : further_mac(spec.nic.mac, i - 1)};
        if (i == 0 || options.exact) nic.bridge = spec.nic.bridge;
        nic.target = i == 0 ? host_interface(spec.name) : "";
        // The system inside knows only its first card to be another one now.
        nic.unplugged = i > 0 && !options.exact;
        if (nic.unplugged)
            warnings.push_back(fmt::format(
                "network card {} keeps its address inside and is unplugged: virsh domif-setlink {} {} up",
                i + 1, spec.name, nic.mac.str()));
        nics.push_back(nic);
    }
    if (nics.empty()) warnings.push_back("it has no network card: nothing will answer at its address");
    return nics;
}

DefineGuest definition(const GuestSpec& spec, const CloneSource& source,
                       const std::optional<DomainFacts>& domain, const CopyDisks& copy, const Site& site,
                       const Facts& facts, const CloneOptions& options, std::vector<std::string>& warnings) {
    if (!domain) return vm_definition(spec, site, facts);
    DomainEdits edits{.name = spec.name, .pool = spec.pool, .uuid = spec.machine->uuid};
    edits.genid = edits.uuid;
    if (options.exact)
        edits.smbios_uuid = domain->uuid;  // libvirt has no two domains of one UUID; inside it stays
    else
        edits.serial = edits.uuid;
    edits.type = facts.accelerator;
    edits.direct_io = facts.direct_io;
    edits.cpus = options.cpus;
    edits.memory = options.memory;
    for (std::size_t i = 0; i < copy.disks.size(); ++i)
        edits.disks.push_back(
            {.target = copy.disks[i].target,
             .source = domain_file::disk(spec.pool, spec.name, i),
             .backing = copy.disks[i].image.empty() ? "" : domain_file::image(spec.pool, spec.image),
             .overlay = options.overlay});
    edits.nics = nics_of(spec, *domain, options, warnings);
    EditedDomain edited = edit_domain_xml(source.xml, edits, source.what);
    warnings.insert(warnings.end(), edited.warnings.begin(), edited.warnings.end());
    return {site.libvirt_uri, spec.name, edited.xml, spec.pool, "kvm"};
}

GiveIdentity identity_of(const GuestSpec& spec, const Random& random) {
    GiveIdentity give{spec.pool, spec.name, {}};
    give.identity.hostname = spec.name;
    give.identity.machine_id = fmt::format("{:016x}{:016x}", random(), random());
    give.identity.connection_uuid = random_uuid(random);
    give.identity.address = NewAddress{spec.nic.subnet, spec.nic.gateway, spec.nameservers, spec.nic.mac};
    return give;
}

/// True where the files inside can be made those of another server; else says what that means.
bool takes_identity(const CloneSource& source, const GuestSpec& spec, const Site& site,
                    std::vector<std::string>& warnings) {
    if (source.running || (source.fact.system == "linux" && source.fact.obstacle.empty())) return true;
    std::string why = source.fact.system == "linux"     ? source.fact.obstacle
                      : source.fact.system == "windows" ? "it is a Windows system"
                                                        : "its system is not one that is known";
    std::string text = why + ": name, addresses, keys and ids inside are left as they were";
    if (!site.network(spec.nic.network).isolated)
        text += fmt::format("; on network {} it would meet its source", spec.nic.network);
    warnings.push_back(std::move(text));
    return false;
}

}  // namespace

ClonePlan plan_clone(const std::string& name, const std::string& pool, const CloneSource& source,
                     const Site& site, const Facts& facts, Allocator& allocator, const CloneOptions& options,
                     const Clock& clock, const Random& random) {
    ClonePlan result;
    std::optional<DomainFacts> domain;
    if (source.kind != CloneSource::Kind::disk) domain = read_domain(source.xml, source.what);
    GuestSpec spec = clone_spec(name, pool, source, domain, options);
    check_name(spec, facts);
    check_source(source, facts, options);
    check_libvirt("kvm", facts);
    choose_place(spec, source, domain, site, facts, allocator, options, random);
    check_second_ioc(spec, source.what, site.network(spec.nic.network), options.allow_duplicate_pv);
    check_space(source, pool, facts, options);
    for (const auto& mount : spec.mounts)
        if (!mount.read_only)
            result.warnings.push_back(
                fmt::format("it writes into {} of the host, as {} does", mount.host, source.what));
    spec.created = iso8601(clock());
    result.plan = {"clone", name, pool, spec.nic.subnet.address.str(), {}};
    auto& actions = result.plan.actions;
    CopyDisks copy = copy_of(spec, source, domain, site, options);
    DefineGuest define = definition(spec, source, domain, copy, site, facts, options, result.warnings);
    if (facts.leftovers.count(name)) actions.push_back(ClearLeftover{pool, name});
    add_bridges(result.plan, spec, site, facts);
    ReserveAddress reserve{pool, name, spec.nic.network, spec.nic.subnet.address, spec.nic.mac, "kvm"};
    reserve.repeats = options.exact;
    actions.push_back(std::move(reserve));
    actions.push_back(std::move(copy));
    if (!options.exact && takes_identity(source, spec, site, result.warnings))
        actions.push_back(identity_of(spec, random));
    actions.push_back(WriteSpec{spec});
    actions.push_back(std::move(define));
    actions.push_back(PublishGuest{pool, name});
    if (source.fetched) actions.push_back(DropFetched{pool, name});
    if (options.start) {
        actions.push_back(StartGuest{site.libvirt_uri, name, "kvm"});
        if (options.prove) actions.push_back(ProveGuest{spec, {}, options.timeout});
    }
    return result;
}

Plan plan_fetch(const std::string& name, const std::string& pool, const std::string& url, std::uint64_t rate,
                const Facts& facts) {
    GuestSpec spec;
    spec.name = name;
    spec.pool = pool;
    check_name(spec, facts);
    check_libvirt("kvm", facts);
    return {"fetch", name, pool, "", {FetchDisk{pool, name, url, rate}}};
}

}  // namespace clara
