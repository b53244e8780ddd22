#include <fmt/format.h>
#include <fmt/ranges.h>

#include <algorithm>

#include "clara/base/clock.hpp"
#include "clara/base/error.hpp"
#include "clara/cli/backup_rows.hpp"
#include "clara/cli/json_out.hpp"
#include "clara/cli/terminal.hpp"
#include "clara/drivers/points/merge.hpp"
#include "clara/drivers/points/store.hpp"
#include "clara/ops/rotation.hpp"
#include "clara/spec/checks.hpp"
#include "clara/spec/site.hpp"

namespace clara {
namespace {

void remove_one(const PointChange& change, const std::string& store, const std::string& name,
                const CommonFlags& flags) {
    const auto all = points::read_points(store, change.guest, true);
    const Point* last = last_proven(all);
    if (last && last->info.name == name && !change.force_last_good)
        throw Error(ErrorKind::refused, name + " is the last good restore point of " + change.guest,
                    "make a newer one first; --force-last-good removes it all the same");
    const Point* point = find_point(name, all);
    if (!point)
        throw Error(ErrorKind::usage, change.guest + " has no restore point " + name,
                    "clara-backup list " + change.guest);
    if (point->state.is_protected)
        throw Error(ErrorKind::refused, name + " is protected",
                    fmt::format("clara-backup unprotect {} {}", change.guest, name));
    if (!point->state.holders.empty())
        throw Error(ErrorKind::refused, fmt::format("{} stands on {}", point->state.holders.front(), name),
                    "clara-backup restore --boot-now of that guest finishes it");
    if (flags.dry_run) return;
    points::open_clean_points(store, change.guest);
    points::remove_point(store, change.guest, name, all);
}

void change_state(const PointChange& change, const std::string& store, const std::string& name,
                  const CommonFlags& flags) {
    PointState state = points::read_point(store, change.guest, name).state;
    using Kind = PointChange::Kind;
    if (change.kind == Kind::protect || change.kind == Kind::unprotect)
        state.is_protected = change.kind == Kind::protect;
    if (change.kind == Kind::note) state.note = change.note;
    if (change.kind == Kind::accept) {
        if (state.quarantine.empty()) throw Error(ErrorKind::refused, name + " is not in quarantine");
        state.quarantine.clear();
        state.verified = iso8601(system_clock()());
    }
    if (!flags.dry_run) points::put_state(store, change.guest, name, state);
}

}  // namespace

int change_points(const PointChange& change, const StoreChoice& choice, const CommonFlags& flags) {
    if (!flags.dry_run) require_root();
    if (auto problem = remark_problem(change.note); !problem.empty())
        throw Error(ErrorKind::usage, "a note is " + problem);
    const Site site = read_site(flags.config);
    const bool removes = change.kind == PointChange::Kind::remove;
    if (removes && !flags.yes && !flags.dry_run &&
        !confirm(
            fmt::format("Remove restore points {} of {}?", fmt::join(change.points, ", "), change.guest)))
        throw Error(ErrorKind::refused, "not confirmed, nothing touched");
    return on_store(choice, site, flags, {.writes = !flags.dry_run}, [&](const std::string& store) {
        const auto lock =
            points::lock_points(store, change.guest, "changing points of " + change.guest, flags.lock_wait);
        for (const auto& name : change.points)
            removes ? remove_one(change, store, name, flags) : change_state(change, store, name, flags);
        return 0;
    });
}

int simulate(const std::string& text, std::chrono::milliseconds every, unsigned days,
             const CommonFlags& flags) {
    const Site site = read_site(flags.config);
    const Keep keep = text.empty() ? site.backup.keep.value_or(standard_keep) : parse_keep(text);
    const auto begin = *parse_iso8601("2026-01-01T03:00:00Z");
    std::vector<Point> points;
    std::uint64_t number = 0;
    double least = 1e9, most = 0;
    const auto runs = static_cast<std::uint64_t>(std::chrono::hours(24) * days / every);
    for (std::uint64_t i = 0; i <= runs; ++i) {
        const auto now = begin + every * i;
        Point point;
        point.info.time = iso8601(now);
        point.info.name = point_name(point.info.time);
        point.info.number = ++number;
        point.state.verified = point.info.time;
        points.push_back(point);
        for (const auto& decision : rotate(points, keep, now))
            if (!decision.keep)
                std::erase_if(points, [&](const Point& p) { return p.info.name == decision.point; });
        const double reach =
            std::chrono::duration<double>(now - *parse_iso8601(points.front().info.time)).count() / 86400;
        if (i * 3 < runs * 2) continue;  // by then all periods are full, as a rule
        least = std::min(least, reach);
        most = std::max(most, reach);
    }
    Json list = Json::array();
    for (const auto& decision : rotate(points, keep, begin + every * runs)) {
        list.push_back({{"point", decision.point}, {"reason", decision.reason}});
        if (!flags.json) fmt::print("{}  {}\n", decision.point, decision.reason);
    }
    if (flags.json)
        print_json(Json{{"schema", "clara.backup-simulation/1"},
                        {"keep", keep_text(keep)},
                        {"points", list},
                        {"reach_days_least", least},
                        {"reach_days_most", most}});
    else
        fmt::print("{} after {} days: {} restore points, which reach {:.0f} to {:.0f} days back\n",
                   keep_text(keep), days, points.size(), least, most);
    return 0;
}

}  // namespace clara
