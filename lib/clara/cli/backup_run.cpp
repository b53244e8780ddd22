#include <fmt/format.h>

#include "clara/base/caller.hpp"
#include "clara/base/error.hpp"
#include "clara/base/files.hpp"
#include "clara/base/io_priority.hpp"
#include "clara/base/stall.hpp"
#include "clara/cli/backup_flow.hpp"
#include "clara/cli/lifecycle_flow.hpp"
#include "clara/drivers/libvirt/pull.hpp"
#include "clara/drivers/points/images.hpp"
#include "clara/drivers/points/store.hpp"
#include "clara/drivers/storage/index.hpp"
#include "clara/ops/rotation.hpp"

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
    BackupFacts backups{.store = store, .points = points::read_points(store, spec.name)};
    {
        const StallScope scope("looking at the store");
        backups.has_image = spec.kind == "kvm" || points::has_image(store, spec.image);
        backups.room = free_bytes(store);
    }
    if (spec.kind == "kvm" && known_guest(spec.name, facts).state == GuestState::running)
        backups.checkpoints = open_hypervisor(site.libvirt_uri, Access::read)->checkpoints(spec.name);
    return backups;
}

Plan plan_one(const Planning& p, const BackupRun& run, const std::string& store) {
    GuestSpec spec = p.spec();
    BackupOptions options = run.options;
    options.who = caller();
    options.keep = first_keep({run.keep, spec.backup.keep, p.site.backup.keep});
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

void add_keep(CLI::App& app, std::optional<Keep>& keep, const std::string& doc) {
    app.add_option_function<std::string>(
           "--keep", [&keep](const std::string& text) { keep = parse_keep(text); }, doc)
        ->type_name("RULES");
}

int back_up(const BackupRun& run, const CommonFlags& flags) {
    if (!flags.dry_run) require_root();
    const Site site = read_site(flags.config);
    const std::string pool = site.pool(flags.pool).path;
    // What a child that hangs leaves is of these; the store is not asked for them.
    std::vector<std::string> names;
    const auto choose = [&] {
        names = chosen(run.guests, pool);
        if (!flags.dry_run) stand_back();
    };
    const StoreUse use{
        .writes = !flags.dry_run, .before = choose, .after_hang = [&] { end_jobs(site, names); }};
    return on_store(run.store, site, flags, use, [&](const std::string& store) {
        if (names.empty()) return 0;
        return run_verb(
            {.name = "backup", .disks = true}, Selection{names},
            [&](const Planning& p) { return plan_one(p, run, store); }, flags);
    });
}

}  // namespace clara
