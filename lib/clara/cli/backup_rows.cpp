#include "clara/cli/backup_rows.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <map>

#include "clara/base/error.hpp"
#include "clara/base/units.hpp"
#include "clara/cli/json_out.hpp"
#include "clara/cli/table.hpp"
#include "clara/cli/terminal.hpp"
#include "clara/drivers/points/store.hpp"
#include "clara/drivers/storage/index.hpp"
#include "clara/ops/backup_status.hpp"
#include "clara/ops/rotation.hpp"
#include "clara/spec/site.hpp"

namespace clara {
namespace {

std::string state_of(const Point& point) {
    if (!point.problem.empty() || !point.state.damage.empty()) return "damaged";
    if (!point.state.quarantine.empty()) return "quarantine";
    return point.state.verified.empty() ? "unverified" : "good";
}

std::string remark_of(const Point& point) {
    if (!point.problem.empty()) return point.problem;
    if (!point.state.damage.empty()) return point.state.damage.front();
    if (!point.state.quarantine.empty()) return point.state.quarantine.front();
    std::string text = point.state.is_protected ? "protected" : "";
    if (!point.state.note.empty()) text += (text.empty() ? "" : ", ") + point.state.note;
    return text;
}

Json to_json(const Point& point) {
    Json disks = Json::array();
    for (const auto& disk : point.info.disks)
        disks.push_back({{"file", disk.file},
                         {"size", disk.size},
                         {"data", disk.data},
                         {"changed", disk.changed},
                         {"read", disk.read}});
    return {{"guest", point.info.guest},
            {"name", point.info.name},
            {"time", point.info.time},
            {"kind", point.info.kind},
            {"state", state_of(point)},
            {"parent", point.info.parent},
            {"full_because", point.info.full_because},
            {"moment", point.info.moment},
            {"host", point.info.host},
            {"image", point.info.image},
            {"stored", point.stored},
            {"disks", disks},
            {"protected", point.state.is_protected},
            {"note", point.state.note},
            {"verified", point.state.verified},
            {"damage", point.state.damage},
            {"quarantine", point.state.quarantine},
            {"problem", point.problem}};
}

std::uint64_t changed_in(const Point& point) {
    std::uint64_t bytes = 0;
    for (const auto& disk : point.info.disks) bytes += disk.changed;
    return bytes;
}

int print_list(const std::vector<std::string>& guests, const std::string& store, const CommonFlags& flags) {
    std::map<std::string, std::vector<Point>> all;
    if (guests.empty()) all = points::read_points(store);
    for (const auto& guest : expand_ranges(guests)) {
        all[guest] = points::read_points(store, guest);
        if (all[guest].empty())
            throw Error(ErrorKind::usage, guest + " has no restore points in " + store, "clara-backup list");
    }
    Json list = Json::array();
    Table table(
        {{"GUEST"}, {"POINT"}, {"STATE"}, {"CHANGED", true}, {"STORED", true}, {"BASE"}, {"REMARKS"}});
    for (const auto& [guest, points] : all)
        for (const auto& point : points) {
            list.push_back(to_json(point));
            table.add({guest, point.info.name, state_of(point), size_text(changed_in(point)),
                       size_text(point.stored), point.info.parent.empty() ? "full" : point.info.parent,
                       printable(remark_of(point))});
        }
    if (flags.json)
        print_json({{"schema", "clara.points/1"}, {"store", store}, {"points", list}});
    else
        table.print();
    return 0;
}

int print_point(const Point& point, const CommonFlags& flags) {
    Json tree = to_json(point);
    if (flags.json) {
        print_json({{"schema", "clara.point-info/1"}, {"point", tree}});
        return 0;
    }
    for (const auto& [key, value] : tree.items()) {
        const std::string text = value.is_string() ? value.get<std::string>() : value.dump();
        if (!text.empty() && text != "[]") fmt::print("{:<13}{}\n", key, printable(text));
    }
    return 0;
}

int print_status(const Site& site, const std::string& store, bool nagios, const CommonFlags& flags) {
    const std::string pool = site.pool(flags.pool).path;
    const auto now = system_clock()();
    using Level = BackupStatus::Level;
    constexpr const char* names[] = {"OK", "WARNING", "CRITICAL"};
    std::vector<BackupStatus> all;
    Level worst = Level::ok;
    for (const auto& [name, guest] : read_guests(pool, false)) {
        auto every = site.backup.every;
        if (guest.problem.empty()) {
            const auto spec = load_guest(pool, name);
            if (!spec || spec->backup.skip) continue;
            every = spec->backup.every.value_or(every);
        }
        all.push_back(backup_status(name, points::read_points(store, name), every, now));
        worst = std::max(worst, all.back().level);
    }
    if (flags.json) {
        Json list = Json::array();
        for (const auto& one : all)
            list.push_back({{"guest", one.guest},
                            {"level", names[static_cast<int>(one.level)]},
                            {"newest", one.newest},
                            {"age_s", one.age_s ? Json(*one.age_s) : Json()},
                            {"points", one.points},
                            {"text", one.text}});
        print_json({{"schema", "clara.backup-status/1"}, {"store", store}, {"guests", list}});
    } else if (nagios) {
        std::string bad;
        for (const auto& one : all)
            if (one.level != Level::ok)
                bad += fmt::format("{}{}: {}", bad.empty() ? "" : ", ", one.guest, one.text);
        const auto late = std::count_if(all.begin(), all.end(),
                                        [](const BackupStatus& one) { return one.level != Level::ok; });
        fmt::print("BACKUP {} - {} | guests={} late={}\n", names[static_cast<int>(worst)],
                   bad.empty() ? fmt::format("{} guests have a proven restore point", all.size()) : bad,
                   all.size(), late);
    } else {
        Table table({{"GUEST"}, {"LEVEL"}, {"NEWEST"}, {"POINTS", true}, {"REMARKS"}});
        for (const auto& one : all)
            table.add({one.guest, names[static_cast<int>(one.level)], one.newest, std::to_string(one.points),
                       printable(one.text)});
        table.print();
    }
    if (nagios) return static_cast<int>(worst);
    return worst == Level::ok ? 0 : static_cast<int>(ErrorKind::partial);
}

}  // namespace

int list_points(const std::vector<std::string>& guests, const StoreChoice& store, const CommonFlags& flags) {
    return on_store(store, read_site(flags.config), flags, {},
                    [&](const std::string& path) { return print_list(guests, path, flags); });
}

int show_point(const std::string& guest, const std::string& point, const StoreChoice& store,
               const CommonFlags& flags) {
    return on_store(store, read_site(flags.config), flags, {}, [&](const std::string& path) {
        return print_point(points::read_point(path, guest, point), flags);
    });
}

int show_status(const StoreChoice& store, bool nagios, const CommonFlags& flags) {
    const Site site = read_site(flags.config);
    return on_store(store, site, flags, {},
                    [&](const std::string& path) { return print_status(site, path, nagios, flags); });
}

}  // namespace clara
