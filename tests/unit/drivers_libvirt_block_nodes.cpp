#include <nlohmann/json.hpp>

#include "catch.hpp"
#include "clara/base/error.hpp"
#include "clara/base/files.hpp"
#include "clara/drivers/libvirt/block_nodes.hpp"
#include "temp_dir.hpp"

using namespace clara;
using Catch::Contains;
using nlohmann::json;

namespace {

/// As qemu 7.2 tells of two disks that libvirt has opened, the first of them on an image.
std::string answer(const std::string& folder) {
    const std::string linked = json{
        {"driver", "qcow2"},
        {"file", {{"driver", "file"}, {"filename", folder + "/disk.qcow2"}}},
        {"backing",
         {{"driver", "qcow2"}}}}.dump();
    json nodes = json::array();
    auto add = [&](const char* name, const char* driver, const std::string& file) {
        nodes.push_back({{"node-name", name}, {"drv", driver}, {"file", file}});
    };
    add("libvirt-1-format", "qcow2", folder + "/disk2.qcow2");
    add("libvirt-1-storage", "file", folder + "/disk2.qcow2");
    add("libvirt-2-format", "qcow2", "json:" + linked);
    add("libvirt-2-storage", "file", folder + "/disk.qcow2");
    add("libvirt-3-format", "qcow2", folder + "/image.qcow2");
    add("odd", "qcow2", "json:{\"driver\"");
    return json{{"return", nodes}, {"id", "libvirt-9"}}.dump();
}

}  // namespace

TEST_CASE("the nodes of a guest's disks are found by file, whatever QEMU calls them") {
    TempDir dir;
    for (const char* name : {"disk.qcow2", "disk2.qcow2", "image.qcow2", "disk3.qcow2"})
        write_file(dir / name, "");
    const std::string told = answer(dir.path());
    CHECK(nodes_of(told, {dir / "disk.qcow2", dir / "disk2.qcow2"}) ==
          std::vector<std::string>{"libvirt-2-format", "libvirt-1-format"});
    CHECK_THROWS_WITH(nodes_of(told, {dir / "disk3.qcow2"}), Contains("is no disk of the running machine"));
    CHECK_THROWS_WITH(nodes_of(told, {dir / "gone"}), Contains("is no disk of the running machine"));
}

TEST_CASE("what QEMU does not do is told in its words") {
    CHECK_NOTHROW(check_answer(R"({"return":{}})", "it fails"));
    CHECK_THROWS_WITH(check_answer(R"({"error":{"class":"GenericError","desc":"no room"}})", "it fails"),
                      "it fails: no room");
    CHECK_THROWS_WITH(check_answer("nonsense", "it fails"), "it fails: no answer");
    CHECK_THROWS_WITH(nodes_of(R"({"error":{"desc":"busy"}})", {}), Contains("busy"));
}

TEST_CASE("snapshots of several disks are one transaction") {
    CHECK(json::parse(take_snapshots({"a", "b"}, "clara.x")) == json::parse(R"({
        "execute": "transaction",
        "arguments": {"actions": [
            {"type": "blockdev-snapshot-internal-sync", "data": {"device": "a", "name": "clara.x"}},
            {"type": "blockdev-snapshot-internal-sync", "data": {"device": "b", "name": "clara.x"}}]}})"));
    CHECK(json::parse(delete_snapshot("a", "clara.x")) == json::parse(R"({
        "execute": "blockdev-snapshot-delete-internal-sync",
        "arguments": {"device": "a", "name": "clara.x"}})"));
}
