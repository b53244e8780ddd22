#include <fmt/format.h>

#include "clara/base/caller.hpp"
#include "clara/base/error.hpp"
#include "clara/base/files.hpp"
#include "clara/base/io_priority.hpp"
#include "clara/base/stall.hpp"
#include "clara/cli/backup_flow.hpp"
#include "clara/cli/lifecycle_flow.hpp"
#include "clara/cli/supervise.hpp"
#include "clara/drivers/libvirt/pull.hpp"
#include "clara/drivers/points/images.hpp"
#include "clara/drivers/points/store.hpp"
#include "clara/drivers/points/store_check.hpp"
#include "clara/drivers/storage/index.hpp"

namespace clara {
namespace {

/// --all leaves out those that say so themselves; what cannot be read is told when it is planned.
std::vector<std::string> chosen(const Selection& selection, const std::string& pool) {
    const auto guests = read_guests(pool, false);
    std::vector<std::string> names = selected(selection, guests);
    if (selection.all)
        std::erase_if(names, [&](const std::string& name) {
            if (!guests.at(name).problem.empty()) return false;
            const auto spec = load_guest(pool, name);
            return !spec || spec->backup.skip;
        });
    return names;
}

BackupFacts facts_of(const GuestSpec& spec, const std::string& store, const Site& site, const Facts& facts) {
    const StallScope scope("listing the store");
    BackupFacts backups{.store = store, .points = points::read_points(store, spec.name)};
    backups.has_image = spec.kind == "kvm" || points::has_image(store, spec.image);
    backups.room = free_bytes(store);
    if (spec.kind == "kvm" && known_guest(spec.name, facts).state == GuestState::running)
        backups.checkpoints = open_hypervisor(site.libvirt_uri, Access::read)->checkpoints(spec.name);
    return backups;
}

Plan plan_one(const Planning& p, const BackupRun& run, const std::string& store) {
    GuestSpec spec = p.spec();
    BackupOptions options = run.options;
    options.who = caller();
    options.keep = run.keep           ? *run.keep
                   : spec.backup.keep ? *spec.backup.keep
                                      : p.site.backup.keep.value_or(standard_keep);
    if (run.no_hooks) spec.backup.before.clear(), spec.backup.after.clear();
    return plan_backup(spec, p.site, p.facts, facts_of(spec, store, p.site, p.facts), options,
                       system_clock());
}

/// What a child that was left behind can no longer end.
void end_jobs(const Site& site, const std::vector<std::string>& names) {
    std::shared_ptr<Hypervisor> host;
    for (const auto& name : names) {
        const std::string socket = pull_socket(site.run_dir, name);
        if (!exists(socket)) continue;
        if (!host) host = open_hypervisor(site.libvirt_uri, Access::change);
        end_pull(*host, name, socket);
    }
}

}  // namespace

void add_store(CLI::App& app, StoreChoice& store) {
    app.add_option("--store", store.name, "Pool that the restore points are in; default as site.yaml says")
        ->type_name("POOL");
    add_duration(app, "--store-timeout", store.limit, "How long a single call to the store may take");
    app.add_flag("--new-store", store.accept_other, "It is another one than last time, and that is meant so");
}

void add_keep(CLI::App& app, std::optional<Keep>& keep, const std::string& doc) {
    app.add_option_function<std::string>(
           "--keep", [&keep](const std::string& text) { keep = parse_keep(text); }, doc)
        ->type_name("RULES");
}

std::string ready_store(const StoreChoice& choice, const Site& site, const std::string& pool, bool writes) {
    const Pool& store = site.pool(choice.name.empty() ? site.backup.pool : choice.name);
    points::StoreCheck check{.patience = choice.limit, .mounted = store.mounted, .remembered_in = pool};
    check.accept_other = choice.accept_other;
    check.writes = writes;
    if (store.path == pool && !writes && !exists(pool)) return store.path;
    if (store.path == pool) make_dirs(pool);
    points::check_store(store.path, check);
    if (writes) points::open_store(store.path, store.path == pool ? "" : pool);
    return store.path;
}

int back_up(const BackupRun& run, const CommonFlags& flags) {
    if (!flags.dry_run) require_root();
    const Site site = read_site(flags.config);
    const std::string pool = site.pool(flags.pool).path;
    const std::string store = ready_store(run.store, site, pool, !flags.dry_run);
    const auto names = chosen(run.guests, pool);
    if (names.empty()) return 0;
    const Selection selection{names};
    auto work = [&] {
        return run_verb(
            {.name = "backup", .disks = true}, selection,
            [&](const Planning& p) { return plan_one(p, run, store); }, flags);
    };
    if (flags.dry_run) return work();
    stand_back();
    return supervised({run.store.limit, store, [&] { end_jobs(site, names); }}, work);
}

}  // namespace clara
