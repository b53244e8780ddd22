#include "clara/ops/create.hpp"

#include <fmt/format.h>

#include <algorithm>

#include "clara/base/error.hpp"
#include "clara/ops/host_paths.hpp"
#include "clara/ops/inside.hpp"
#include "clara/ops/lxc_config.hpp"
#include "clara/spec/names.hpp"

namespace clara {
namespace {

// What a guest needs at once: a formatted disk, its files and guest.yaml (measured: 0.7 MB), with room to
// breathe.
constexpr std::uint64_t room_needed = 4 << 20;

[[noreturn]] void refuse(std::string message, std::string hint) {
    throw Error(ErrorKind::refused, std::move(message), std::move(hint));
}

void check_name(const GuestSpec& spec, const Facts& facts) {
    if (auto problem = name_problem(spec.name); !problem.empty())
        throw Error(ErrorKind::usage, fmt::format("'{}' is no name for a guest: {}", spec.name, problem),
                    "e.g. magnets, bpm01");
    if (facts.guests.count(spec.name))
        refuse(fmt::format("guest {} exists already in {}", spec.name, spec.pool),
               "choose another name, or remove it first: clara-destroy " + spec.name);
    if (facts.lxc_defined.count(spec.name) && !facts.leftovers.count(spec.name))
        refuse(fmt::format("a container {} exists already, and no guest of this pool", spec.name),
               "choose another name");
    bool in_book = std::any_of(facts.book.begin(), facts.book.end(),
                               [&](const BookEntry& e) { return e.name == spec.name; });
    if (in_book && !facts.leftovers.count(spec.name))
        throw Error(ErrorKind::busy, fmt::format("{} is being created by somebody else right now", spec.name),
                    "wait for it (clara-list), or choose another name");
}

const ImageInfo& find_image(const GuestSpec& spec, const Facts& facts) {
    const ImageInfo* found = nullptr;
    std::vector<std::string> names;
    for (const auto& image : facts.images) {
        names.push_back(image.name);
        if (image.id() != spec.image && image.name != spec.image) continue;
        if (!found || image.created > found->created) found = &image;
    }
    for (const auto& id : facts.broken_images)
        if (id == spec.image || (!found && id.rfind(spec.image + "@", 0) == 0))
            refuse(fmt::format("image {} is damaged: its file does not fit its image.yaml", id),
                   fmt::format("clara-image verify {}, then build or import it again", id));
    if (!found) {
        auto near = nearest(spec.image, names);
        refuse(fmt::format("image {} is not in {}", spec.image, spec.pool),
               near.empty() ? fmt::format("clara-image build {}, or clara-image list",
                                          spec.image.substr(0, spec.image.find('@')))
                            : fmt::format("did you mean {}?", near));
    }
    return *found;
}

void check_pvs(const CreateItem& item, const Facts& facts, bool allowed) {
    if (allowed) return;
    for (const auto& pv : item.pvs)
        if (auto served = facts.pv_served.find(pv); served != facts.pv_served.end())
            refuse(fmt::format("PV {} is served already by {}", pv, served->second),
                   "stop that IOC, change the macros, or say --allow-duplicate-pv");
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

}  // namespace

Plan plan_create(const CreateItem& item, const Site& site, const Facts& facts, Allocator& allocator,
                 const CreateOptions& options, const Clock& clock, const Random& random) {
    GuestSpec spec = item.spec;
    check_name(spec, facts);
    const ImageInfo& image = find_image(spec, facts);
    spec.image = image.id();
    spec.init = image.init;
    if (spec.init != "clara" && (spec.ioc || spec.daemon.present()))
        refuse(fmt::format("image {} has an init of its own, which runs neither IOCs nor daemons for us",
                           spec.image),
               "import it with --init clara, or leave ioc and daemon out of the template");
    check_paths(spec, facts);
    check_pvs(item, facts, options.allow_duplicate_pv);
    if (facts.pool_free < room_needed)
        refuse(fmt::format("pool {} is full: {} KiB left", spec.pool, facts.pool_free >> 10),
               "make room, or take another --pool");
    choose_nic(spec, item.address, site, facts, allocator, random);
    spec.created = iso8601(clock());
    // A later start proves the IOC by it, when the db files may be gone from the host.
    if (spec.ioc && spec.ioc->pvs.empty() && !item.pvs.empty()) spec.ioc->pvs = {item.pvs.front()};
    const Network& network = site.network(spec.nic.network);

    Plan plan{"create", spec.name, spec.pool, spec.nic.subnet.address.str()};
    auto& actions = plan.actions;
    if (facts.leftovers.count(spec.name)) actions.push_back(ClearLeftover{spec.pool, spec.name});
    if (network.managed && !facts.bridges.count(network.bridge))
        actions.push_back(EnsureBridge{network.bridge, network.subnet});
    actions.push_back(
        ReserveAddress{spec.pool, spec.name, spec.nic.network, spec.nic.subnet.address, spec.nic.mac});
    actions.push_back(MakeDisk{spec.pool, spec.name, spec.disk});
    Inside inside = render_inside(spec);
    FillDisk fill{spec.pool,    spec.name,      spec.privileged ? 0 : site.idmap_base,
                  inside.files, inside.folders, spec.image};
    for (const auto& user : guest_users(spec)) fill.users[user.name] = user.uid;
    actions.push_back(std::move(fill));
    actions.push_back(WriteSpec{spec});
    actions.push_back(DefineGuest{site.lxc_path, spec.name, lxc_config(spec, site, facts), spec.pool});
    actions.push_back(PublishGuest{spec.pool, spec.name});
    if (options.start) {
        actions.push_back(StartGuest{site.lxc_path, spec.name});
        if (options.prove) actions.push_back(ProveGuest{spec, item.pvs, options.timeout});
    }
    return plan;
}

}  // namespace clara
