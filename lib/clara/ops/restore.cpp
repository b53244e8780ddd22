#include "clara/ops/restore.hpp"

#include <fmt/format.h>

#include <algorithm>

#include "clara/base/error.hpp"
#include "clara/base/units.hpp"
#include "clara/ops/create.hpp"
#include "clara/ops/create_checks.hpp"
#include "clara/ops/create_vm.hpp"
#include "clara/ops/domain_backing.hpp"
#include "clara/ops/inside.hpp"
#include "clara/ops/lxc_config.hpp"

namespace clara {
namespace {

constexpr std::uint64_t spare_room = 64 << 20;  // bytes, beside the disks

bool on_overlay(const RestoreSource& source, const RestoreOptions& options) {
    return options.boot_now && source.spec.kind == "kvm";
}

bool starts(const RestoreOptions& options) {
    return options.start || options.boot_now;
}

bool has_image(const std::string& id, const Facts& facts) {
    return std::any_of(facts.images.begin(), facts.images.end(),
                       [&](const ImageInfo& image) { return image.id() == id; });
}

/// What the pool needs before anything of the guest is made.
void add_needs(Plan& plan, const RestoreSource& source, const std::string& pool, const Facts& facts) {
    if (!source.point.good())
        throw Error(ErrorKind::refused,
                    "point " + source.point.info.name + " is not to be trusted: " +
                        (!source.point.problem.empty()           ? source.point.problem
                         : source.point.state.quarantine.empty() ? source.point.state.damage.front()
                                                                 : source.point.state.quarantine.front()),
                    "take another one: clara-backup list " + source.spec.name);
    std::uint64_t data = 0;
    for (const auto& disk : source.point.info.disks) data += disk.data;
    if (facts.pool_free < data + spare_room)
        throw Error(ErrorKind::refused,
                    fmt::format("the pool has {} free, and the restored disks take {}",
                                size_text(facts.pool_free), size_text(data)),
                    "make room in the pool");
    const std::string& image = source.point.info.image;
    if (image.empty() || has_image(image, facts)) return;
    if (!source.image_in_store)
        throw Error(ErrorKind::refused, "image " + image + " is neither in the pool nor in the store",
                    "clara-image builds it again, or import it from where it is");
    plan.actions.push_back(CopyImage{source.store, pool, image});
}

RestorePoint restore_of(const RestoreSource& source, const std::string& pool, const std::string& name,
                        const RestoreOptions& options) {
    RestorePoint restore{source.store, source.spec.name, source.point.info.name, pool,
                         name,         source.spec.kind};
    restore.rate = options.rate;
    restore.overlay = on_overlay(source, options);
    return restore;
}

/// A point's disks are linked to no image: neither is what is made of them.
GuestSpec spec_of(const RestoreSource& source) {
    GuestSpec spec = source.spec;
    if (spec.kind != "kvm" || spec.image.empty()) return spec;
    spec.origin = "image " + spec.image;
    spec.image.clear();
    return spec;
}

/// Its domain, with the disks as they will be.
std::string domain_of(const RestoreSource& source, const RestoreOptions& options) {
    return with_backing(source.domain_xml, on_overlay(source, options) ? Backing::headers : Backing::none,
                        "domain.xml of point " + source.point.info.name);
}

/// Facts as they are once the image and the definition are there, for what plans the start.
Facts with_image(const RestoreSource& source, const RestoreOptions& options, Facts facts) {
    const std::string& id = source.point.info.image;
    if (!id.empty() && !has_image(id, facts)) {
        ImageInfo image;
        image.name = id.substr(0, id.find('@'));
        image.digest = id.substr(id.find('@') + 1);
        image.kind = source.spec.kind;
        image.init = source.spec.init;
        facts.images.push_back(image);
    }
    if (!source.domain_xml.empty()) facts.domain_xml[source.spec.name] = domain_of(source, options);
    return facts;
}

DefineGuest definition_of(const GuestSpec& spec, const RestoreSource& source, const Site& site,
                          const Facts& facts, const RestoreOptions& options) {
    if (spec.kind == "kvm")
        return {site.libvirt_uri, spec.name, domain_of(source, options),
                spec.pool,        "kvm",     libvirt_starts(spec)};
    return {site.lxc_path, spec.name, lxc_config(spec, site, facts), spec.pool};
}

void add_guest(Plan& plan, const GuestSpec& spec, const RestoreSource& source, const Site& site,
               const Facts& facts, const RestoreOptions& options, const std::optional<FillDisk>& fill) {
    if (facts.leftovers.count(spec.name)) plan.actions.push_back(ClearLeftover{spec.pool, spec.name});
    add_bridges(plan, spec, site, facts);
    ReserveAddress reserve{spec.pool,    spec.name, spec.nic.network, spec.nic.subnet.address,
                           spec.nic.mac, spec.kind};
    reserve.repeats = options.exact;
    plan.actions.push_back(std::move(reserve));
    plan.actions.push_back(restore_of(source, spec.pool, spec.name, options));
    if (fill) plan.actions.push_back(*fill);
    plan.actions.push_back(WriteSpec{spec});
    plan.actions.push_back(definition_of(spec, source, site, facts, options));
    plan.actions.push_back(PublishGuest{spec.pool, spec.name});
    if (!starts(options)) return;
    plan.actions.push_back(StartGuest{home_of(spec.kind, site), spec.name, spec.kind});
    if (options.lifecycle.prove)
        plan.actions.push_back(ProveGuest{
            spec,
            {},
            spec.kind == "kvm" ? options.lifecycle.vm_answer_timeout : options.lifecycle.answer_timeout});
}

void check_same_pool(const RestoreSource& source, const std::string& pool) {
    if (source.spec.kind == "kvm" && source.spec.pool != pool)
        throw Error(ErrorKind::refused,
                    fmt::format("its definition names its disks in pool {}, and this one is {}",
                                source.spec.pool, pool),
                    "restore it there, or under another name: --as NEW");
}

}  // namespace

Plan plan_restore(const RestoreSource& source, const std::string& pool, const Site& site, const Facts& facts,
                  const RestoreOptions& options) {
    GuestSpec spec = spec_of(source);
    if (facts.guests.count(spec.name))
        throw Error(ErrorKind::refused, "there is a guest " + spec.name,
                    "--in-place puts the restored one in its place, --as NEW beside it");
    check_name(spec, facts);
    check_libvirt(spec.kind, facts);
    check_same_pool(source, pool);
    spec.pool = pool;
    for (const auto& entry : facts.book)
        if (entry.name != spec.name && entry.network == spec.nic.network &&
            (entry.address == spec.nic.subnet.address || entry.mac == spec.nic.mac))
            throw Error(
                ErrorKind::refused,
                fmt::format("its address {} is that of {} by now", spec.nic.subnet.address.str(), entry.name),
                "restore it under another name and address: --as NEW");
    Plan plan{"restore", spec.name, pool, "point " + source.point.info.name, {}};
    add_needs(plan, source, pool, facts);
    add_guest(plan, spec, source, site, with_image(source, options, facts), options, std::nullopt);
    hold_meanwhile(plan, source, spec.kind, site, facts, options);
    return plan;
}

Plan plan_restore_in_place(const RestoreSource& source, const GuestSpec& now, const Site& site,
                           const Facts& facts, const RestoreOptions& options) {
    const GuestFact& guest = known_guest(source.spec.name, facts);
    const std::string kind = guest.kind;
    check_owner(guest);
    check_libvirt(kind, facts);
    if (source.spec.kind != kind)
        throw Error(ErrorKind::refused, "the point is of a guest of another kind", "restore it --as NEW");
    if (source.spec.nic.subnet.address != now.nic.subnet.address || source.spec.nic.mac != now.nic.mac)
        throw Error(ErrorKind::refused,
                    fmt::format("in the point its address is {} ({}), now it is {} ({})",
                                source.spec.nic.subnet.address.str(), source.spec.nic.mac.str(),
                                now.nic.subnet.address.str(), now.nic.mac.str()),
                    "restore it --as NEW, or destroy this one first");
    check_same_pool(source, now.pool);
    if (guest.state == GuestState::stopping || guest.state == GuestState::starting)
        throw Error(ErrorKind::busy, fmt::format("it is just {}", to_string(guest.state)),
                    "run it again in a moment");
    const bool ran = guest.state == GuestState::running;
    GuestSpec then = spec_of(source);
    then.pool = now.pool;
    Plan plan{"restore", then.name, then.pool, "point " + source.point.info.name, {}};
    add_needs(plan, source, then.pool, facts);
    const Facts later = with_image(source, options, facts);
    // All that could stand against the start is looked at before the stop.
    std::vector<Action> start;
    if (ran || starts(options)) start = start_actions(then, site, later, options.lifecycle);
    const std::string home = home_of(kind, site);
    const bool known = is_defined(then.name, kind, facts);
    RestorePoint restore = restore_of(source, then.pool, then.name, options);
    restore.replaces = true;
    restore.spec = then;
    plan.actions.push_back(restore);
    if (guest.state != GuestState::stopped)
        plan.actions.push_back(StopGuest{home, then.name, options.lifecycle.stop_timeout, kind});
    if (kind == "kvm" && known) plan.actions.push_back(ForgetBackups{home, then.name, kind});
    plan.actions.push_back(SwapGuest{then.pool, then.name});
    DefineGuest define = definition_of(then, source, site, later, options);
    if (known) define.before = kind == "kvm" ? options.domain_now : lxc_config(now, site, facts);
    plan.actions.push_back(define);
    plan.actions.insert(plan.actions.end(), start.begin(), start.end());
    // What it replaces is needed until the new disks are whole.
    hold_meanwhile(plan, source, kind, site, facts, options);
    if (!start.empty() && options.lifecycle.prove) plan.actions.push_back(DropReplaced{then.pool, then.name});
    return plan;
}

Plan plan_restore_as(const std::string& name, const RestoreSource& source, const std::string& pool,
                     const Site& site, const Facts& facts, Allocator& allocator, const Random& random,
                     const RestoreOptions& options) {
    GuestSpec spec = source.spec;
    spec.name = name;
    spec.pool = pool;
    spec.origin = fmt::format("restore point {} of {}", source.point.info.name, source.spec.name);
    check_name(spec, facts);
    const Network& network = site.network(options.network.empty() ? spec.nic.network : options.network);
    check_second_ioc(spec, source.what(), network, options.allow_duplicate_pv);
    spec.nic.network = network.name;
    spec.nic.bridge = network.bridge;
    spec.nic.subnet = {allocator.address(network, options.exact ? spec.nic.subnet.address.str() : "auto"),
                       network.subnet.prefix};
    if (!options.exact) spec.nic.mac = allocator.mac(random);
    Plan plan{"restore", name, pool, "point " + source.point.info.name + " of " + source.spec.name, {}};
    add_needs(plan, source, pool, facts);
    if (options.exact) {
        add_guest(plan, spec, source, site, with_image(source, options, facts), options, std::nullopt);
        return plan;
    }
    const Inside inside = render_inside(spec);
    FillDisk fill{pool,         name,           spec.privileged ? 0 : site.idmap_base,
                  inside.files, inside.folders, spec.image};
    for (const auto& user : guest_users(spec)) fill.users[user.name] = user.uid;
    add_guest(plan, spec, source, site, with_image(source, options, facts), options, fill);
    return plan;
}

CloneSource clone_of(const RestoreSource& source, const SourceFact& fact) {
    CloneSource clone{.kind = CloneSource::Kind::point, .what = source.what(), .spec = source.spec};
    clone.xml = with_disks_in(source.path, source.domain_xml, "domain.xml of " + source.what());
    clone.fact = fact;
    return clone;
}

std::string holder_of(const std::string& host, const std::string& pool, const std::string& guest) {
    return fmt::format("{}:{}/guests/{}", host, pool, guest);
}

void hold_meanwhile(Plan& plan, const RestoreSource& source, const std::string& kind, const Site& site,
                    const Facts& facts, const RestoreOptions& options) {
    if (!on_overlay(source, options)) return;
    HoldPoint hold{source.store, source.spec.name, source.point.info.name,
                   holder_of(facts.hostname, plan.pool, plan.guest)};
    plan.actions.insert(plan.actions.begin(), hold);
    plan.actions.push_back(
        AbsorbPoint{home_of(kind, site), plan.pool, plan.guest, source.store, options.rate});
    hold.hold = false;
    plan.actions.push_back(hold);
}

Plan plan_absorb(const GuestSpec& spec, const RestoreSource& source, const Site& site, const Facts& facts,
                 const RestoreOptions& options, bool replaced) {
    Plan plan{"restore", spec.name, spec.pool, "point " + source.point.info.name, {}};
    const GuestFact& guest = known_guest(spec.name, facts);
    check_owner(guest);
    if (guest.state == GuestState::stopped)
        plan.actions = start_actions(spec, site, facts, options.lifecycle);
    hold_meanwhile(plan, source, spec.kind, site, facts, options);
    if (replaced) plan.actions.push_back(DropReplaced{spec.pool, spec.name});
    return plan;
}

}  // namespace clara
