#include "clara/cli/snapshot_rows.hpp"

#include <fmt/format.h>

#include "clara/base/units.hpp"
#include "clara/cli/json_out.hpp"
#include "clara/cli/table.hpp"
#include "clara/cli/terminal.hpp"

namespace clara {
namespace {

/// null: nobody knows.
Json number(const std::optional<std::uint64_t>& bytes) {
    return bytes ? Json(*bytes) : Json();
}

Json to_json(const std::string& guest, const SnapshotFact& one) {
    return {{"guest", guest},
            {"name", one.info.name},
            {"time", one.info.time},
            {"state", one.info.state},
            {"comment", one.info.comment},
            {"who", one.info.who},
            {"protected", one.info.keep},
            {"size", one.info.size},
            {"memory", one.info.memory},
            {"exclusive", number(one.exclusive)},
            {"problem", one.problem}};
}

std::string remarks(const SnapshotFact& one) {
    if (!one.problem.empty()) return one.problem;
    std::string text = one.info.keep ? "protected" : "";
    if (one.info.memory > 0) text += (text.empty() ? "" : ", ") + ("memory of " + size_text(one.info.memory));
    return text;
}

/// What its removal would free.
std::string size_of(const SnapshotFact& one) {
    if (!one.problem.empty()) return "";
    return one.exclusive ? size_text(*one.exclusive) : "?";
}

const char* sign(TreeChange::Kind kind) {
    return kind == TreeChange::Kind::added ? "+" : kind == TreeChange::Kind::removed ? "-" : "~";
}

}  // namespace

void print_snapshots(const std::string& pool, const std::vector<std::string>& guests, const Facts& facts,
                     bool json) {
    Json list = Json::array();
    Table table({{"GUEST"}, {"SNAPSHOT"}, {"TIME"}, {"SIZE", true}, {"STATE"}, {"REMARKS"}, {"COMMENT"}});
    for (const auto& guest : guests)
        for (const auto& one : disk_of(guest, facts).snapshots) {
            list.push_back(to_json(guest, one));
            table.add({guest, one.info.name, one.info.time, size_of(one), one.info.state, remarks(one),
                       one.info.comment});
        }
    if (json)
        print_json({{"schema", "clara.snapshots/1"}, {"pool", pool}, {"snapshots", list}});
    else
        table.print();
}

void print_diff(const std::string& guest, const std::string& from, const std::string& to,
                const std::vector<TreeChange>& changes, bool json) {
    if (!json) {
        for (const auto& change : changes)
            fmt::print("{} {}{}\n", sign(change.kind), printable(change.path),
                       change.what.empty() ? "" : "  (" + change.what + ")");
        return;
    }
    Json list = Json::array();
    for (const auto& change : changes)
        list.push_back({{"change", to_string(change.kind)}, {"path", change.path}, {"what", change.what}});
    print_json({{"schema", "clara.snapshot-diff/1"},
                {"guest", guest},
                {"from", from},
                {"to", to.empty() ? "now" : to},
                {"changes", list}});
}

}  // namespace clara
