#include "clara/ops/create.hpp"

#include <fmt/format.h>

#include <algorithm>

#include "clara/base/error.hpp"
#include "clara/ops/create_checks.hpp"
#include "clara/ops/create_vm.hpp"
#include "clara/ops/host_paths.hpp"
#include "clara/ops/inside.hpp"
#include "clara/ops/lxc_config.hpp"

namespace clara {
namespace {

[[noreturn]] void refuse(std::string message, std::string hint) {
    throw Error(ErrorKind::refused, std::move(message), std::move(hint));
}

void choose_image(GuestSpec& spec, const Facts& facts) {
    if (!spec.installer.empty()) {
        spec.init = "system";
        return;
    }
    const ImageInfo& image = image_for(spec, facts);
    spec.image = image.id();
    spec.init = image.init;
    if (spec.init != "clara" && (spec.ioc || spec.daemon.present()))
        refuse(fmt::format("image {} has an init of its own, which runs neither IOCs nor daemons for us",
                           spec.image),
               "import it with --init clara, or leave ioc and daemon out of the template");
}

void choose_nic(GuestSpec& spec, const std::string& address, const Site& site, const Facts& facts,
                Allocator& allocator, const Random& random) {
    const Network& network = site.network(spec.nic.network);
    if (!network.managed && !facts.bridges.count(network.bridge))
        refuse(fmt::format("bridge {} of network {} is missing", network.bridge, network.name),
               "make the bridge, or set 'managed: true' for the network in site.yaml");
    Subnet subnet{allocator.address(network, address), network.subnet.prefix};
    spec.nic = {network.name, network.bridge, subnet, network.gateway, allocator.mac(random)};
    if (spec.nameservers.empty()) spec.nameservers = network.nameservers;
}

FillDisk fill_of(const GuestSpec& spec, const Site& site) {
    const bool mapped = spec.kind == "lxc" && !spec.privileged;
    Inside inside = render_inside(spec);
    FillDisk fill{spec.pool,    spec.name,      mapped ? site.idmap_base : 0,
                  inside.files, inside.folders, spec.image};
    for (const auto& user : guest_users(spec)) fill.users[user.name] = user.uid;
    fill.kind = spec.kind;
    return fill;
}

DefineGuest definition_of(const GuestSpec& spec, const Site& site, const Facts& facts) {
    if (spec.kind == "kvm") return vm_definition(spec, site, facts);
    return {site.lxc_path, spec.name, lxc_config(spec, site, facts), spec.pool};
}

}  // namespace

void add_bridges(Plan& plan, const GuestSpec& spec, const Site& site, const Facts& facts) {
    std::set<std::string> known = facts.bridges;
    auto need = [&](const Network& network) {
        if (network.managed && known.insert(network.bridge).second)
            plan.actions.push_back(EnsureBridge{network.bridge, network.subnet, network.isolated});
    };
    need(site.network(spec.nic.network));
    for (const auto& nic : spec.networks) need(site.network(nic.network));
}

Plan plan_create(const CreateItem& item, const Site& site, const Facts& facts, Allocator& allocator,
                 const CreateOptions& options, const Clock& clock, const Random& random) {
    GuestSpec spec = item.spec;
    check_name(spec, facts);
    if (spec.kind == "kvm") check_vm(spec, site, facts);
    choose_image(spec, facts);
    const std::string base = spec.image;
    if (options.full) {  // a disk that stands for itself
        spec.origin = "image " + base;
        spec.image.clear();
    }
    check_paths(spec, facts);
    check_pvs(item, facts, options.allow_duplicate_pv);
    check_room(spec, facts);
    choose_nic(spec, item.address, site, facts, allocator, random);
    if (spec.kind == "kvm") choose_identity(spec, facts, random);
    spec.created = iso8601(clock());
    // A later start proves the IOC by it, when the db files may be gone from the host.
    if (spec.ioc && spec.ioc->pvs.empty() && !item.pvs.empty()) spec.ioc->pvs = {item.pvs.front()};

    Plan plan{"create", spec.name, spec.pool, spec.nic.subnet.address.str()};
    auto& actions = plan.actions;
    if (facts.leftovers.count(spec.name)) actions.push_back(ClearLeftover{spec.pool, spec.name});
    add_bridges(plan, spec, site, facts);
    actions.push_back(ReserveAddress{spec.pool, spec.name, spec.nic.network, spec.nic.subnet.address,
                                     spec.nic.mac, spec.kind});
    MakeDisk disk{spec.pool, spec.name, spec.disk, spec.kind, spec.kind == "kvm" ? base : ""};
    disk.full = options.full;
    for (const auto& extra : spec.disks) disk.more.push_back(extra.size);
    actions.push_back(std::move(disk));
    if (!base.empty()) actions.push_back(fill_of(spec, site));
    actions.push_back(WriteSpec{spec});
    DefineGuest define = definition_of(spec, site, facts);
    const std::string home = define.home;
    actions.push_back(std::move(define));
    actions.push_back(PublishGuest{spec.pool, spec.name});
    if (options.start) {
        actions.push_back(StartGuest{home, spec.name, spec.kind});
        // What an installer installs answers in an hour, at the address that its user has typed.
        if (options.prove && spec.installer.empty())
            actions.push_back(
                ProveGuest{spec, item.pvs, spec.kind == "kvm" ? options.vm_timeout : options.timeout});
    }
    return plan;
}

}  // namespace clara
