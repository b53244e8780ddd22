// clara-backup status
#include <fmt/format.h>

#include "clara/base/clock.hpp"
#include "clara/base/error.hpp"
#include "clara/cli/backup_rows.hpp"
#include "clara/cli/json_out.hpp"
#include "clara/cli/nagios.hpp"
#include "clara/cli/table.hpp"
#include "clara/cli/tell.hpp"
#include "clara/cli/terminal.hpp"
#include "clara/drivers/points/store.hpp"
#include "clara/drivers/points/store_check.hpp"
#include "clara/drivers/storage/index.hpp"
#include "clara/ops/backup_status.hpp"
#include "clara/spec/site.hpp"

namespace clara {
namespace {

using Level = BackupStatus::Level;

/// What guest.yaml says about backups; nullopt: it is left out, or was removed just now.
std::optional<BackupWatch> expected_of(const GuestFact& guest, const std::string& pool, const Site& site) {
    BackupWatch watch{.guest = guest.name, .every = site.backup.every, .problem = guest.problem};
    if (!watch.problem.empty()) return watch;
    try {
        const auto spec = load_guest(pool, guest.name);
        if (!spec || spec->backup.skip) return std::nullopt;
        watch.every = spec->backup.every.value_or(watch.every);
    } catch (const Error& e) {
        watch.problem = e.message();
    }
    return watch;
}

std::vector<BackupStatus> status_of_all(const std::string& store, const std::string& pool, const Site& site) {
    const auto now = system_clock()();
    const auto guests = read_guests(pool, false);
    auto stored = points::read_points(store);
    std::vector<BackupStatus> all;
    for (const auto& [name, guest] : guests)
        if (auto watch = expected_of(guest, pool, site)) {
            watch->points = stored[name];
            all.push_back(backup_status(*watch, now));
        }
    for (auto& [name, points] : stored)
        if (!guests.count(name))
            all.push_back(backup_status({.guest = name, .points = std::move(points), .gone = true}, now));
    return all;
}

/// Guests that are all gone at once are not: their pool is. On a host that has none yet a person may look.
void check_pool(const Pool& pool, std::chrono::milliseconds patience, bool needed) {
    if (points::store_answers(pool.path, patience))
        points::check_store(pool.path, {.mounted = pool.mounted, .writes = false});
    else if (needed)
        throw Error(ErrorKind::refused, "the pool " + pool.path + " is not there",
                    "mount it, or clara-host prepare");
}

void print_all(const std::vector<BackupStatus>& all, const std::string& store, bool json) {
    Json list = Json::array();
    Table table({{"GUEST"}, {"LEVEL"}, {"NEWEST"}, {"POINTS", true}, {"REMARKS"}});
    for (const auto& one : all) {
        list.push_back({{"guest", one.guest},
                        {"level", nagios_word(one.level)},
                        {"newest", one.newest},
                        {"age_s", one.age_s ? Json(*one.age_s) : Json()},
                        {"points", one.points},
                        {"text", one.text},
                        {"gone", one.gone},
                        {"warning_s", one.warning_s},
                        {"critical_s", one.critical_s}});
        table.add({one.guest, one.gone ? "GONE" : nagios_word(one.level), one.newest,
                   std::to_string(one.points), printable(one.text)});
    }
    if (json)
        print_json({{"schema", "clara.backup-status/1"}, {"store", store}, {"guests", list}});
    else
        table.print();
}

int look(const StoreChoice& choice, bool nagios, const CommonFlags& flags) {
    const Site site = read_site(flags.config);
    const Pool& pool = site.pool(flags.pool);
    check_pool(pool, choice.limit, nagios);
    return on_store(choice, site, flags, {}, [&](const std::string& store) {
        const auto all = status_of_all(store, pool.path, site);
        const Level worst = worst_of(all);
        if (nagios && !flags.json)
            fmt::print("{}\n", nagios_line(all));
        else
            print_all(all, store, flags.json);
        if (nagios) return static_cast<int>(worst);
        return worst == Level::ok ? 0 : static_cast<int>(ErrorKind::partial);
    });
}

}  // namespace

int show_status(const StoreChoice& choice, bool nagios, const CommonFlags& flags) {
    try {
        return look(choice, nagios, flags);
    } catch (const Error& e) {
        // Monitoring would take our own statuses for its levels.
        if (!nagios) throw;
        if (flags.json)
            tell("clara-backup", e.kind(), e.message(), e.hint(), true);
        else
            fmt::print("{}\n", nagios_line(e.message()));
        return nagios_unknown;
    }
}

}  // namespace clara
