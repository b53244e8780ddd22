#include "clara/ops/backup.hpp"

#include <fmt/format.h>

#include <algorithm>

#include "clara/base/error.hpp"
#include "clara/base/units.hpp"
#include "clara/ops/lifecycle.hpp"
#include "clara/ops/rotation.hpp"

namespace clara {
namespace {

using std::chrono::seconds;

constexpr std::uint64_t least_room = 64 << 20;  // bytes: less is no place for backups

/// What a new point stands on, or why on nothing.
struct Base {
    const Point* parent = nullptr;
    std::string why_none;
};

Base base_of(const GuestSpec& spec, const std::vector<Point>& points, bool full) {
    if (full) return {nullptr, "it was asked for"};
    const Point* newest = nullptr;
    for (const auto& point : points)
        if (point.good()) newest = &point;
    if (!newest) return {nullptr, points.empty() ? "it is the first" : "no earlier point is sound"};
    if (newest->info.born != spec.created || newest->info.kind != spec.kind)
        return {nullptr, "the guest was made anew since"};
    const auto chain = chain_of(newest->info.name, points);
    if (!chain.back()->info.parent.empty())
        return {nullptr, fmt::format("point {} is missing", chain.back()->info.parent)};
    for (const Point* point : chain)
        if (!point->good()) return {nullptr, fmt::format("point {} is damaged", point->info.name)};
    if (chain.size() >= longest_chain)
        return {nullptr, fmt::format("{} points stand on each other", chain.size())};
    return {newest, ""};
}

/// libvirt's newest checkpoint that changes can be counted from: what has happened since any point in the
/// parent's chain includes what has happened since the parent.
std::string usable_checkpoint(const BackupFacts& backups, const Point& parent) {
    const auto chain = chain_of(parent.info.name, backups.points);
    for (auto one = backups.checkpoints.rbegin(); one != backups.checkpoints.rend(); ++one)
        for (const Point* point : chain)
            if (*one == checkpoint_prefix + point->info.name) return *one;
    return {};
}

void check_state(const GuestFact& guest) {
    check_owner(guest);
    if (guest.state == GuestState::stopping || guest.state == GuestState::starting)
        throw Error(ErrorKind::busy, fmt::format("it is just {}", to_string(guest.state)),
                    "run it again in a moment");
    if (guest.state == GuestState::leftover)
        throw Error(ErrorKind::refused, "its last run was killed and left its disk mounted",
                    "clara-stop " + guest.name);
}

void check_room(const GuestSpec& spec, const Facts& facts, const BackupFacts& backups) {
    if (backups.room < least_room)
        throw Error(ErrorKind::refused,
                    fmt::format("the store {} has {} free", backups.store, size_text(backups.room)),
                    "make room there; nothing was removed");
    const auto& disk = disk_of(spec.name, facts);
    if (spec.kind != "kvm" && !disk.shares && facts.pool_free < disk.taken + least_room)
        throw Error(ErrorKind::refused,
                    fmt::format("the pool has {} free, and a copy of its disk takes {} for a while",
                                size_text(facts.pool_free), size_text(disk.taken)),
                    "make room in the pool");
}

}  // namespace

std::vector<const Point*> chain_of(const std::string& name, const std::vector<Point>& points) {
    std::vector<const Point*> chain;
    for (const Point* point = find_point(name, points); point && chain.size() <= points.size();
         point = find_point(point->info.parent, points)) {
        chain.push_back(point);
        if (point->info.parent.empty()) break;
    }
    return chain;
}

std::string free_point_name(std::chrono::system_clock::time_point now, const std::vector<Point>& points) {
    std::string name = point_name(iso8601(now));
    while (find_point(name, points)) name = point_name(iso8601(now += seconds(1)));
    return name;
}

const Point* last_proven(const std::vector<Point>& points) {
    const Point* last = nullptr;
    for (const auto& point : points)
        if (point.proven()) last = &point;
    return last;
}

Plan plan_backup(const GuestSpec& spec, const Site& site, const Facts& facts, const BackupFacts& backups,
                 const BackupOptions& options, const Clock& clock) {
    const GuestFact& guest = known_guest(spec.name, facts);
    check_state(guest);
    check_libvirt(spec.kind, facts);
    check_room(spec, facts, backups);
    const bool vm = spec.kind == "kvm";
    const auto now = clock();
    const Base base = base_of(spec, backups.points, options.full);

    MakePoint make{.store = backups.store, .pool = spec.pool, .name = spec.name};
    make.info = {.guest = spec.name,
                 .name = free_point_name(now, backups.points),
                 .number = backups.points.empty() ? 1 : backups.points.back().info.number + 1,
                 .time = iso8601(now),
                 .kind = spec.kind,
                 .born = spec.created,
                 .image = vm ? "" : spec.image,
                 .parent = base.parent ? base.parent->info.name : "",
                 .full_because = base.why_none,
                 .host = facts.hostname,
                 .who = options.who};
    make.home = home_of(spec.kind, site);
    make.running = guest.state == GuestState::running;
    make.defined = is_defined(spec.name, spec.kind, facts);
    if (make.running && !vm) make.mount = site.run_dir + "/guests/" + spec.name + "/disk";
    make.checkpoint = vm && make.running;
    if (make.checkpoint && base.parent) {
        make.bitmap = usable_checkpoint(backups, *base.parent);
        if (make.bitmap.empty())
            make.info.full_because = "libvirt does not know what has changed since " + base.parent->info.name;
    }
    make.before = spec.backup.before;
    make.after = spec.backup.after;
    make.rate = options.rate;
    make.patience = options.patience;
    make.freeze_limit = options.freeze_limit;

    Plan plan{"backup", spec.name, spec.pool, make.info.name, {}};
    if (!make.info.image.empty() && backups.store != spec.pool && !backups.has_image)
        plan.actions.push_back(CopyImage{spec.pool, backups.store, make.info.image});
    const Point* last = last_proven(backups.points);
    const bool comparable = last && last->info.born == spec.created && last->info.kind == spec.kind;
    plan.actions.push_back(make);
    plan.actions.push_back(
        ProvePoint{backups.store, spec.name, make.info.name, comparable ? last->info.name : ""});
    PublishPoint publish{backups.store, spec.name, make.info.name, make.home, {}};
    for (const auto& checkpoint : backups.checkpoints)
        if (make.running && checkpoint.starts_with(checkpoint_prefix))
            publish.checkpoints.push_back(checkpoint);
    plan.actions.push_back(publish);
    if (!options.prune) return plan;
    // As it will be once the new one is proven; where it is not, the plan ends before the first removal.
    std::vector<Point> after = backups.points;
    after.push_back({make.info, {.verified = make.info.time}});
    for (const auto& decision : rotate(after, options.keep, now))
        if (!decision.keep)
            plan.actions.push_back(RemovePoint{backups.store, spec.name, decision.point, decision.reason});
    return plan;
}

}  // namespace clara
