#include "clara/drivers/libvirt/block_nodes.hpp"

#include <sys/stat.h>

#include <nlohmann/json.hpp>
#include <optional>
#include <utility>

#include "clara/base/error.hpp"

namespace clara {
namespace {

using nlohmann::json;

std::optional<std::pair<dev_t, ino_t>> inode_of(const std::string& path) {
    struct stat st {};
    if (::stat(path.c_str(), &st) != 0) return std::nullopt;
    return std::pair{st.st_dev, st.st_ino};
}

std::string text(const json& tree, const char* key) {
    auto found = tree.find(key);
    return found != tree.end() && found->is_string() ? found->get<std::string>() : "";
}

/// A node whose options a plain path does not tell has them in JSON, e.g. where its backing file was named
/// by path: json:{"driver": "qcow2", "file": {"driver": "file", "filename": "/..."}, "backing": ...}.
std::string file_of(const json& node) {
    const std::string file = text(node, "file");
    if (!file.starts_with("json:")) return file;
    const json tree = json::parse(file.substr(5), nullptr, false);
    if (!tree.is_object() || !tree.contains("file") || !tree["file"].is_object()) return {};
    return text(tree["file"], "filename");
}

}  // namespace

void check_answer(const std::string& answer, const std::string& what) {
    const json tree = json::parse(answer, nullptr, false);
    if (tree.is_object() && tree.contains("return")) return;
    std::string why = "no answer";
    if (tree.is_object() && tree.contains("error") && tree["error"].is_object())
        why = text(tree["error"], "desc");
    throw Error(ErrorKind::failed, what + ": " + why);
}

std::vector<std::string> nodes_of(const std::string& answer, const std::vector<std::string>& files) {
    check_answer(answer, "cannot ask QEMU for its disks");
    const json tree = json::parse(answer);
    std::vector<std::string> nodes;
    for (const auto& file : files) {
        const auto wanted = inode_of(file);
        std::string name;
        for (const auto& node : tree["return"])
            if (text(node, "drv") == "qcow2" && wanted && inode_of(file_of(node)) == wanted)
                name = text(node, "node-name");
        if (name.empty())
            throw Error(ErrorKind::failed, file + " is no disk of the running machine",
                        "restart it, or take the file out of its folder");
        nodes.push_back(name);
    }
    return nodes;
}

std::string take_snapshots(const std::vector<std::string>& nodes, const std::string& tag) {
    json actions = json::array();
    for (const auto& node : nodes)
        actions.push_back(
            {{"type", "blockdev-snapshot-internal-sync"}, {"data", {{"device", node}, {"name", tag}}}});
    return json{{"execute", "transaction"}, {"arguments", {{"actions", actions}}}}.dump();
}

std::string delete_snapshot(const std::string& node, const std::string& tag) {
    return json{{"execute", "blockdev-snapshot-delete-internal-sync"},
                {"arguments", {{"device", node}, {"name", tag}}}}
        .dump();
}

std::vector<std::string> remove_bitmaps(const std::string& answer, const std::string& prefix) {
    check_answer(answer, "cannot ask QEMU for its disks");
    const json tree = json::parse(answer);
    std::vector<std::string> commands;
    for (const auto& node : tree["return"]) {
        if (text(node, "drv") != "qcow2" || !node.contains("dirty-bitmaps")) continue;
        for (const auto& bitmap : node["dirty-bitmaps"])
            if (text(bitmap, "name").starts_with(prefix))
                commands.push_back(
                    json{{"execute", "block-dirty-bitmap-remove"},
                         {"arguments", {{"node", text(node, "node-name")}, {"name", text(bitmap, "name")}}}}
                        .dump());
    }
    return commands;
}

}  // namespace clara
