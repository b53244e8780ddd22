#include "clara/cli/backup_rows.hpp"

#include <fmt/format.h>

#include <map>

#include "clara/base/error.hpp"
#include "clara/base/units.hpp"
#include "clara/cli/json_out.hpp"
#include "clara/cli/table.hpp"
#include "clara/cli/terminal.hpp"
#include "clara/drivers/points/store.hpp"
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

}  // namespace clara
