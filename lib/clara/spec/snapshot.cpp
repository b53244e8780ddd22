#include "clara/spec/snapshot.hpp"

#include "clara/spec/bind.hpp"
#include "clara/spec/names.hpp"

namespace clara {
namespace {

constexpr const char* rollback_prefix = "before-rollback";

const Table<SnapshotInfo>& info_table() {
    static const Table<SnapshotInfo> table{
        field(&SnapshotInfo::name, {.name = "name", .doc = "Name.", .required = true, .check = name_problem}),
        field(&SnapshotInfo::time, {.name = "time", .doc = "UTC, ISO 8601.", .required = true}),
        field(&SnapshotInfo::comment, {.name = "comment", .doc = "What for."}),
        field(&SnapshotInfo::state, {.name = "state", .doc = "The guest's then."}),
        field(&SnapshotInfo::who, {.name = "who", .doc = "Who made it."}),
        field(&SnapshotInfo::keep,
              {.name = "keep", .type = Type::boolean, .doc = "Not to be pruned.", .fallback = "false"}),
        field(&SnapshotInfo::size, {.name = "size", .type = Type::size, .doc = "Bytes when it was made."}),
        field(
            &SnapshotInfo::memory,
            {.name = "memory", .type = Type::size, .doc = "Bytes of the machine's memory.", .fallback = "0"}),
    };
    return table;
}

}  // namespace

std::string write_snapshot_info(const SnapshotInfo& info) {
    return emit_yaml(write_section(info, info_table()));
}

SnapshotInfo read_snapshot_info(const std::string& yaml, const std::string& where) {
    Problems problems;
    Yaml tree = load_yaml(yaml, {where, "/"}, problems);
    validate(tree, {.type = Type::section, .children = keys_of(info_table())}, problems);
    problems.check();
    SnapshotInfo info;
    read_section(tree, info_table(), info);
    return info;
}

bool is_rollback_name(const std::string& name) {
    return name.starts_with(rollback_prefix);
}

std::string snapshot_name_problem(const std::string& name) {
    if (is_rollback_name(name))
        return std::string("names that begin with ") + rollback_prefix + " are given by rollbacks";
    return name_problem(name);
}

std::string snapshot_name(const std::string& time) {
    std::string name = "at-";
    for (char c : time)
        if (c >= '0' && c <= '9')
            name += c;
        else if (c == 'T')
            name += '-';
    return name;
}

}  // namespace clara
