#include <fmt/format.h>

#include "clara/base/error.hpp"
#include "clara/base/files.hpp"
#include "clara/base/stall.hpp"
#include "clara/cli/backup_flow.hpp"
#include "clara/cli/batch.hpp"
#include "clara/cli/free_addresses.hpp"
#include "clara/cli/terminal.hpp"
#include "clara/drivers/clone_source.hpp"
#include "clara/drivers/host.hpp"
#include "clara/drivers/host_facts.hpp"
#include "clara/drivers/libvirt/states.hpp"
#include "clara/drivers/points/images.hpp"
#include "clara/drivers/points/proof.hpp"
#include "clara/drivers/points/restored.hpp"
#include "clara/drivers/points/store.hpp"
#include "clara/drivers/storage/index.hpp"
#include "clara/drivers/storage/layout.hpp"
#include "clara/ops/host_paths.hpp"

namespace clara {
namespace {

/// The newest one that was proven, where none is named.
std::string wanted_point(const RestoreRun& run, const std::string& store) {
    if (!run.point.empty()) return run.point;
    const auto points = points::read_points(store, run.guest);
    if (const Point* last = last_proven(points)) return last->info.name;
    throw Error(ErrorKind::refused,
                points.empty() ? run.guest + " has no restore points in " + store
                               : "none of the restore points of " + run.guest + " is proven to be good",
                points.empty() ? "clara-backup list shows whose there are"
                               : "clara-backup list " + run.guest + "; --point POINT takes one all the same");
}

RestoreSource source_of(const RestoreRun& run, const std::string& store) {
    RestoreSource source{store, points::read_point(store, run.guest, wanted_point(run, store))};
    const std::string path = pool::point(store, run.guest, source.point.info.name);
    // All it stands on is read once more before anything is built on it.
    const auto all = points::read_points(store, run.guest, true);
    for (const Point* point : chain_of(source.point.info.name, all)) {
        const auto damage = points::look_at_point(store, *point, false);
        if (!damage.empty())
            throw Error(ErrorKind::failed,
                        fmt::format("restore point {} is damaged: {}", point->info.name, damage.front()),
                        "take an older one: clara-backup list " + run.guest);
    }
    const StallScope scope("reading from the store");
    source.spec = read_guest(read_file(path + "/guest.yaml").value_or(""), path + "/guest.yaml");
    source.domain_xml = read_file(path + "/domain.xml").value_or("");
    source.image_in_store =
        source.point.info.image.empty() || points::has_image(store, source.point.info.image);
    return source;
}

Plan plan_for(const RestoreRun& run, const RestoreSource& source, const std::string& pool, const Site& site,
              Facts facts) {
    RestoreOptions options = run.options;
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
    if (source.spec.kind == "kvm")
        throw Error(ErrorKind::refused, "a virtual machine is not restored under another name directly",
                    fmt::format("clone its point: clara-vm-clone {}/disk.qcow2 {}",
                                pool::point(source.store, run.guest, source.point.info.name), run.as));
    probe_addresses({{source.spec.nic.network, "auto"}}, site, facts, 0);
    Allocator allocator(facts, 0);
    return plan_restore_as(run.as, source, pool, site, facts, allocator, system_random(), options);
}

int restore_from(const std::string& store, const RestoreRun& run, const Site& site, const std::string& pool,
                 const CommonFlags& flags) {
    if (!flags.dry_run && exists(pool::guests(pool))) points::recover(pool, run.guest);
    const RestoreSource source = source_of(run, store);
    const auto paths = needed_paths(source.spec);
    FactsRequest request{.pool = pool, .paths = {paths.begin(), paths.end()}, .path_deadline = flags.timeout};
    request.kvm = source.spec.kind == "kvm";
    const Facts facts = gather_facts(site, request);
    Batch batch = plan_each("restore", {run.as.empty() ? run.guest : run.as},
                            [&](const std::string&) { return plan_for(run, source, pool, site, facts); });
    if (run.in_place && !flags.dry_run && !flags.yes && !batch.plans.empty() &&
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
    return on_store(run.store, site, flags, {},
                    [&](const std::string& store) { return restore_from(store, run, site, pool, flags); });
}

}  // namespace clara
