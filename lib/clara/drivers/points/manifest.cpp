#include "clara/drivers/points/manifest.hpp"

#include <fmt/format.h>

#include <nlohmann/json.hpp>

#include "clara/base/error.hpp"
#include "clara/drivers/points/sums.hpp"

namespace clara::points {
namespace {

using nlohmann::ordered_json;

constexpr const char* manifest_schema = "clara.point/1";
constexpr const char* state_schema = "clara.point-state/1";
constexpr std::uint64_t largest = std::uint64_t{1} << 60;  // bytes: no disk is so large

/// The text of an object without its end, then the seal.
std::string sealed(const ordered_json& tree) {
    // Names and notes that are no UTF-8 must not keep a backup from being made.
    std::string text = tree.dump(1, '\t', false, ordered_json::error_handler_t::replace);
    text.resize(text.size() - 2);  // "\n}"
    text += ",\n";
    return text + fmt::format("\t\"sha256\": \"{}\"\n}}\n", hex(digest_of(text)));
}

ordered_json opened(std::string_view text, const char* schema, const std::string& where) {
    constexpr std::size_t seal = 12 + 64 + 4;  // \t"sha256": "...64..."\n}\n
    const Error damaged(ErrorKind::failed, where + " is damaged, or was changed by hand",
                        "a new full backup heals it; clara-backup verify says what else is damaged");
    if (text.size() <= seal) throw damaged;
    const std::string_view body = text.substr(0, text.size() - seal);
    if (text.substr(body.size()) != fmt::format("\t\"sha256\": \"{}\"\n}}\n", hex(digest_of(body))))
        throw damaged;
    ordered_json tree = ordered_json::parse(text, nullptr, false);
    if (!tree.is_object()) throw damaged;
    if (const auto found = tree.find("schema"); found == tree.end() || *found != schema)
        throw Error(ErrorKind::failed, where + " is of another version of clara",
                    "it says which one reads it: schema");
    return tree;
}

/// Values of an object, each of which has to be there and what it should be.
class Values {
  public:
    Values(const ordered_json& tree, const std::string& where) : tree_(tree), where_(where) {}

    std::string text(const char* key) const { return get(key, &ordered_json::is_string).get<std::string>(); }
    bool flag(const char* key) const { return get(key, &ordered_json::is_boolean).get<bool>(); }
    std::uint64_t number(const char* key) const {
        const auto value = get(key, &ordered_json::is_number_unsigned).get<std::uint64_t>();
        if (value > largest) fail(key);
        return value;
    }
    std::string file_name(const char* key) const {
        std::string name = text(key);
        if (name.empty() || name[0] == '.' || name.find('/') != std::string::npos || name.size() > 100)
            fail(key);
        return name;
    }
    std::string point(const char* key, bool may_be_empty) const {
        std::string name = text(key);
        if (!is_point_name(name) && !(may_be_empty && name.empty())) fail(key);
        return name;
    }
    std::vector<std::string> texts(const char* key) const {
        std::vector<std::string> all;
        for (const auto& one : list(key)) {
            if (!one.is_string()) fail(key);
            all.push_back(one.get<std::string>());
        }
        return all;
    }
    const ordered_json& list(const char* key) const { return get(key, &ordered_json::is_array); }
    [[noreturn]] void fail(const char* key) const {
        throw Error(ErrorKind::failed, fmt::format("{}: '{}' is not what it should be", where_, key));
    }

  private:
    const ordered_json& get(const char* key, bool (ordered_json::*is)() const noexcept) const {
        const auto found = tree_.find(key);
        if (found == tree_.end() || !((*found).*is)()) fail(key);
        return *found;
    }
    const ordered_json& tree_;
    const std::string& where_;
};

PointDisk read_disk(const Values& v) {
    return {v.file_name("file"), v.text("target"),  v.number("size"), v.number("data"), v.number("changed"),
            v.number("zeroed"),  v.number("dense"), v.number("read"), v.text("content")};
}

PointFile read_file(const Values& v) {
    PointFile file{v.file_name("name"), v.number("size"), v.texts("sha256")};
    if (file.ranges.size() != (file.size + digest_range - 1) / digest_range) v.fail("sha256");
    return file;
}

}  // namespace

std::string write_manifest(const PointInfo& info) {
    ordered_json disks = ordered_json::array(), files = ordered_json::array();
    for (const auto& disk : info.disks)
        disks.push_back({{"file", disk.file},
                         {"target", disk.target},
                         {"size", disk.size},
                         {"data", disk.data},
                         {"changed", disk.changed},
                         {"zeroed", disk.zeroed},
                         {"dense", disk.dense},
                         {"read", disk.read},
                         {"content", disk.content}});
    for (const auto& file : info.files)
        files.push_back({{"name", file.name}, {"size", file.size}, {"sha256", file.ranges}});
    return sealed({{"schema", manifest_schema},
                   {"guest", info.guest},
                   {"name", info.name},
                   {"number", info.number},
                   {"time", info.time},
                   {"kind", info.kind},
                   {"born", info.born},
                   {"image", info.image},
                   {"parent", info.parent},
                   {"full_because", info.full_because},
                   {"moment", info.moment},
                   {"host", info.host},
                   {"who", info.who},
                   {"range", digest_range},
                   {"disks", disks},
                   {"files", files}});
}

PointInfo read_manifest(std::string_view text, const std::string& where) {
    const ordered_json tree = opened(text, manifest_schema, where);
    const Values v(tree, where);
    PointInfo info{.guest = v.text("guest"),
                   .name = v.point("name", false),
                   .number = v.number("number"),
                   .time = v.text("time"),
                   .kind = v.text("kind"),
                   .born = v.text("born"),
                   .image = v.text("image"),
                   .parent = v.point("parent", true),
                   .full_because = v.text("full_because"),
                   .moment = v.text("moment"),
                   .host = v.text("host"),
                   .who = v.text("who")};
    if (info.kind != "lxc" && info.kind != "kvm") v.fail("kind");
    if (v.number("range") != digest_range) v.fail("range");
    for (const auto& disk : v.list("disks")) info.disks.push_back(read_disk(Values(disk, where)));
    for (const auto& file : v.list("files")) info.files.push_back(read_file(Values(file, where)));
    if (info.disks.empty()) v.fail("disks");
    return info;
}

std::string write_state(const PointState& state) {
    ordered_json tree{{"schema", state_schema}, {"protected", state.is_protected},
                      {"note", state.note},     {"verified", state.verified},
                      {"damage", state.damage}, {"quarantine", state.quarantine}};
    if (!state.holders.empty()) tree["holders"] = state.holders;
    return sealed(std::move(tree));
}

PointState read_state(std::string_view text, const std::string& where) {
    const ordered_json tree = opened(text, state_schema, where);
    const Values v(tree, where);
    PointState state{v.flag("protected"), v.text("note"), v.text("verified"), v.texts("damage"),
                     v.texts("quarantine")};
    if (tree.contains("holders")) state.holders = v.texts("holders");
    return state;
}

}  // namespace clara::points
