#include <fmt/format.h>
#include <fmt/ranges.h>

#include <set>

#include "clara/base/clock.hpp"
#include "clara/base/error.hpp"
#include "clara/cli/backup_rows.hpp"
#include "clara/cli/terminal.hpp"
#include "clara/drivers/points/merge.hpp"
#include "clara/drivers/points/store.hpp"
#include "clara/spec/checks.hpp"
#include "clara/spec/site.hpp"

namespace clara {
namespace {

using Kind = PointChange::Kind;

/// Error where one of them is not there, or must stay as it is: then none is changed.
void check_all(const PointChange& change, const std::vector<Point>& all) {
    const Point* last = last_proven(all);
    for (const auto& name : change.points) {
        const Point* point = find_point(name, all);
        if (!point)
            throw Error(ErrorKind::usage, change.guest + " has no restore point " + name,
                        all.empty() ? "clara-backup list" : "clara-backup list " + change.guest);
        if (change.kind == Kind::accept && point->state.quarantine.empty())
            throw Error(ErrorKind::refused, name + " is not in quarantine");
        if (change.kind != Kind::remove) {
            if (!point->problem.empty())
                throw Error(ErrorKind::failed, point->problem, "clara-backup remove takes it away");
        } else if (point == last && !change.force_last_good) {
            throw Error(ErrorKind::refused, name + " is the last good restore point of " + change.guest,
                        "make a newer one first; --force-last-good removes it all the same");
        } else if (point->state.is_protected) {
            throw Error(ErrorKind::refused, name + " is protected",
                        fmt::format("clara-backup unprotect {} {}", change.guest, name));
        } else {
            points::refuse_held(*point);
        }
    }
}

void remove_one(const std::string& store, const std::string& guest, const std::string& name) {
    const auto all = points::read_points(store, guest, true);
    points::open_clean_points(store, guest);
    points::remove_point(store, guest, name, all);
}

void change_state(const PointChange& change, const std::string& store, const std::string& name) {
    PointState state = points::read_point(store, change.guest, name).state;
    if (change.kind == Kind::protect || change.kind == Kind::unprotect)
        state.is_protected = change.kind == Kind::protect;
    if (change.kind == Kind::note) state.note = change.note;
    if (change.kind == Kind::accept) {
        state.quarantine.clear();
        state.verified = iso8601(system_clock()());
    }
    points::put_state(store, change.guest, name, state);
}

}  // namespace

int change_points(const PointChange& change, const StoreChoice& choice, const CommonFlags& flags) {
    if (!flags.dry_run) require_root();
    if (auto problem = remark_problem(change.note); !problem.empty())
        throw Error(ErrorKind::usage, "a note is " + problem);
    const Site site = read_site(flags.config);
    const bool removes = change.kind == Kind::remove;
    return on_store(choice, site, flags, {.writes = !flags.dry_run}, [&](const std::string& store) {
        check_all(change, points::read_points(store, change.guest));
        if (flags.dry_run) return 0;
        if (removes && !flags.yes &&
            !confirm(
                fmt::format("Remove restore points {} of {}?", fmt::join(change.points, ", "), change.guest)))
            throw Error(ErrorKind::refused, "not confirmed, nothing touched");
        const auto lock =
            points::lock_points(store, change.guest, "changing points of " + change.guest, flags.lock_wait);
        check_all(change, points::read_points(store, change.guest));  // a run may have ended meanwhile
        const std::set<std::string> once(change.points.begin(), change.points.end());
        for (const auto& name : once)
            removes ? remove_one(store, change.guest, name) : change_state(change, store, name);
        return 0;
    });
}

}  // namespace clara
