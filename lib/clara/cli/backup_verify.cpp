#include <fmt/format.h>
#include <fmt/ranges.h>

#include <algorithm>
#include <map>

#include "clara/base/clock.hpp"
#include "clara/base/error.hpp"
#include "clara/base/interrupt.hpp"
#include "clara/base/io_priority.hpp"
#include "clara/base/log.hpp"
#include "clara/cli/backup_flow.hpp"
#include "clara/cli/backup_source.hpp"
#include "clara/cli/json_out.hpp"
#include "clara/cli/tell.hpp"
#include "clara/drivers/points/proof.hpp"
#include "clara/drivers/points/store.hpp"
#include "clara/drivers/storage/index.hpp"
#include "clara/spec/site.hpp"

namespace clara {
namespace {

struct Looked {
    std::string guest, point;
    std::vector<std::string> damage, dependents;
};

/// Points that stand on it, however far above.
std::vector<std::string> standing_on(const std::string& point, const std::vector<Point>& points) {
    std::vector<std::string> all{point};
    for (const auto& one : points)
        if (std::find(all.begin(), all.end(), one.info.parent) != all.end() && !one.info.parent.empty())
            all.push_back(one.info.name);
    all.erase(all.begin());
    return all;
}

/// What is found is written down: what is damaged counts for nothing any more, and the next backup is a full
/// one.
Looked look_at(const std::string& store, const Point& known, bool deep, const CommonFlags& flags) {
    const std::string& guest = known.info.guest;
    const auto lock = points::lock_points(store, guest, "verify of " + guest, flags.lock_wait);
    const auto all = points::read_points(store, guest, true);
    const Point* point = find_point(known.info.name, all);
    Looked looked{guest, known.info.name, {}, {}};
    if (!point) return looked;  // rotated away meanwhile
    looked.damage = points::look_at_point(store, *point, deep);
    if (!looked.damage.empty()) looked.dependents = standing_on(known.info.name, all);
    if (!point->problem.empty()) return looked;
    PointState state = point->state;
    state.damage = looked.damage;
    if (looked.damage.empty()) state.verified = iso8601(system_clock()());
    points::put_state(store, guest, known.info.name, state);
    return looked;
}

std::string on_it(const Looked& looked) {
    return looked.dependents.empty() ? ""
                                     : fmt::format("; {} stand on it", fmt::join(looked.dependents, ", "));
}

int report(const std::vector<Looked>& all, std::size_t left, const CommonFlags& flags) {
    std::size_t damaged = 0;
    Json list = Json::array();
    for (const auto& looked : all) {
        list.push_back({{"guest", looked.guest},
                        {"point", looked.point},
                        {"damage", looked.damage},
                        {"dependents", looked.dependents}});
        if (looked.damage.empty()) continue;
        ++damaged;
        tell(looked.guest, ErrorKind::partial,
             fmt::format("restore point {} is damaged: {}{}", looked.point, fmt::join(looked.damage, "; "),
                         on_it(looked)),
             "the next clara-backup run stands on none of these", flags.json);
    }
    if (flags.json)
        print_json(Json{{"schema", "clara.verify/1"}, {"points", list}, {"left", left}});
    else if (!flags.quiet)
        fmt::print("{} restore points verified, {} damaged{}\n", all.size(), damaged,
                   left ? fmt::format(", {} left for the next time", left) : "");
    return damaged ? static_cast<int>(ErrorKind::partial) : 0;
}

std::vector<Point> wanted_points(const Selection& selection, const std::string& store,
                                 const std::string& pool) {
    const auto known = points::read_points(store);
    std::vector<Point> wanted;
    for (const auto& name : guests_with_points(selection, known, store, pool))
        wanted.insert(wanted.end(), known.at(name).begin(), known.at(name).end());
    return wanted;
}

int verify_all(const VerifyRun& run, const std::string& store, const std::string& pool,
               const CommonFlags& flags) {
    std::vector<Point> wanted = wanted_points(run.guests, store, pool);
    if (run.oldest_first)
        std::stable_sort(wanted.begin(), wanted.end(),
                         [](const Point& a, const Point& b) { return a.state.verified < b.state.verified; });
    const auto began = std::chrono::steady_clock::now();
    std::vector<Looked> looked;
    for (const auto& point : wanted) {
        throw_if_interrupted();
        if (run.max_time && std::chrono::steady_clock::now() - began >= *run.max_time) break;
        log::status(fmt::format("[{}/{}] verifying {} {}", looked.size() + 1, wanted.size(), point.info.guest,
                                point.info.name));
        looked.push_back(look_at(store, point, run.deep, flags));
    }
    log::status("");
    return report(looked, wanted.size() - looked.size(), flags);
}

}  // namespace

int verify_points(const VerifyRun& run, const CommonFlags& flags) {
    require_root();
    check_selection(run.guests);
    const Site site = read_site(flags.config);
    const std::string pool = site.pool(flags.pool).path;
    stand_back();
    return on_store(run.store, site, flags, {.writes = true},
                    [&](const std::string& store) { return verify_all(run, store, pool, flags); });
}

}  // namespace clara
