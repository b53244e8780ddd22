#include <fmt/format.h>

#include "clara/base/error.hpp"
#include "clara/base/files.hpp"
#include "clara/base/log.hpp"
#include "clara/cli/backup_flow.hpp"
#include "clara/cli/backup_source.hpp"
#include "clara/cli/batch.hpp"
#include "clara/cli/free_addresses.hpp"
#include "clara/cli/terminal.hpp"
#include "clara/drivers/clone_source.hpp"
#include "clara/drivers/disks/chain.hpp"
#include "clara/drivers/disks/inner_snapshots.hpp"
#include "clara/drivers/host.hpp"
#include "clara/drivers/host_facts.hpp"
#include "clara/drivers/libvirt/states.hpp"
#include "clara/drivers/points/restored.hpp"
#include "clara/drivers/storage/index.hpp"
#include "clara/drivers/storage/layout.hpp"
#include "clara/ops/host_paths.hpp"

namespace clara {
namespace {

/// A virtual machine becomes a server of its own, as clara-vm-clone makes them.
Plan plan_vm_as(const RestoreRun& run, const RestoreSource& source, const std::string& pool, const Site& site,
                const Facts& facts, Allocator& allocator) {
    const RestoreOptions& o = run.options;
    CloneOptions options{.network = o.network,
                         .overlay = o.boot_now,
                         .allow_duplicate_pv = o.allow_duplicate_pv,
                         .start = o.start || o.boot_now,
                         .prove = o.lifecycle.prove,
                         .rate = o.rate,
                         .timeout = o.lifecycle.vm_answer_timeout};
    ClonePlan clone = plan_clone(run.as, pool, read_clone(source), site, facts, allocator, options,
                                 system_clock(), system_random());
    for (const auto& warning : clone.warnings) log::warn("{}: {}", run.as, warning);
    clone.plan.verb = "restore";
    hold_meanwhile(clone.plan, source, "kvm", site, facts, o);
    return clone.plan;
}

const std::string& new_name(const RestoreRun& run) {
    return run.as.empty() ? run.guest : run.as;
}

/// The point that a killed --boot-now has left its guest's disks standing on; empty: none.
std::string unfinished(const RestoreRun& run, const std::string& pool, const std::string& store) {
    if (!run.options.boot_now || !exists(pool::guest(pool, new_name(run)))) return {};
    const auto guest = load_guest(pool, new_name(run));
    if (!guest || guest->kind != "kvm") return {};
    const std::string points = pool::backups(store, run.guest) + "/";
    for (const auto& disk : vm_disks(pool, new_name(run)))
        for (const auto& link : disk_chain(disk, "qcow2"))
            if (link.path.starts_with(points))
                return link.path.substr(points.size(), link.path.find('/', points.size()) - points.size());
    return {};
}

Plan plan_for(const RestoreRun& run, const RestoreSource& source, const std::string& pool, const Site& site,
              Facts facts, bool finishes) {
    RestoreOptions options = run.options;
    if (finishes)
        return plan_absorb(*load_guest(pool, new_name(run)), source, site, facts, options, run.in_place);
    if (run.in_place) {
        const auto now = load_guest(pool, run.guest);
        if (!now)
            throw Error(ErrorKind::usage, "there is no guest " + run.guest + " whose place it could take",
                        "leave out --in-place");
        if (now->kind == "kvm" && is_defined(run.guest, "kvm", facts))
            options.domain_now = domain_xml(site, run.guest);
        return plan_restore_in_place(source, *now, site, facts, options);
    }
    if (run.as.empty()) return plan_restore(source, pool, site, facts, options);
    probe_addresses({{options.network.empty() ? source.spec.nic.network : options.network, "auto"}}, site,
                    facts, 0);
    Allocator allocator(facts, 0);
    if (source.spec.kind == "kvm") return plan_vm_as(run, source, pool, site, facts, allocator);
    return plan_restore_as(run.as, source, pool, site, facts, allocator, system_random(), options);
}

int restore_from(const std::string& store, const RestoreRun& run, const Site& site, const std::string& pool,
                 const CommonFlags& flags) {
    if (!flags.dry_run && exists(pool::guests(pool))) points::recover(pool, run.guest);
    const std::string left = unfinished(run, pool, store);
    const bool finishes = !left.empty();
    const RestoreSource source =
        read_source(run.guest, wanted_point(store, run.guest, finishes ? left : run.point), store);
    const auto paths = needed_paths(source.spec);
    FactsRequest request{.pool = pool, .paths = {paths.begin(), paths.end()}, .path_deadline = flags.timeout};
    request.kvm = source.spec.kind == "kvm";
    const Facts facts = gather_facts(site, request);
    Batch batch = plan_each("restore", {new_name(run)}, [&](const std::string&) {
        return plan_for(run, source, pool, site, facts, finishes);
    });
    if (run.in_place && !finishes && !flags.dry_run && !flags.yes && !batch.plans.empty() &&
        !confirm(fmt::format("Put point {} in the place of {}?", source.point.info.name, run.guest)))
        throw Error(ErrorKind::refused, "not confirmed, nothing touched");
    HostDrivers host = make_host_drivers(site);
    Drivers drivers = host.drivers();
    return carry_out(batch, drivers, flags);
}

}  // namespace

int restore_guest(const RestoreRun& run, const CommonFlags& flags) {
    if (run.in_place && !run.as.empty())
        throw Error(ErrorKind::usage, "--as and --in-place exclude each other", "give one of them");
    if (!flags.dry_run) require_root();
    const Site site = read_site(flags.config);
    const std::string pool = site.pool(flags.pool).path;
    return on_store(run.store, site, flags, {.writes = run.options.boot_now && !flags.dry_run},
                    [&](const std::string& store) { return restore_from(store, run, site, pool, flags); });
}

}  // namespace clara
