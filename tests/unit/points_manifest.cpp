// manifest.json and state.json of restore points.
#include <array>

#include "catch.hpp"
#include "clara/base/error.hpp"
#include "clara/drivers/points/manifest.hpp"
#include "clara/drivers/points/sums.hpp"

using namespace clara;
using namespace clara::points;
using Catch::Matchers::Contains;

namespace {

PointInfo some_point() {
    PointInfo info{.guest = "bpm01",
                   .name = "20261125T063300Z",
                   .number = 7,
                   .time = "2026-11-25T06:33:00Z",
                   .kind = "kvm",
                   .born = "2026-01-01T00:00:00Z",
                   .image = "",
                   .parent = "20261124T063300Z",
                   .full_because = "",
                   .moment = "it ran: as after a power cut, all disks at one moment",
                   .host = "host1",
                   .who = "anna"};
    info.disks = {
        {"disk.qcow2", "vda", 1ULL << 40, 5 << 20, 3 << 20, 1 << 20, 65536, 4 << 20, std::string(64, 'c')}};
    info.files = {{"disk.qcow2", digest_range + 1, {std::string(64, 'a'), std::string(64, 'b')}},
                  {"empty", 0, {}},
                  {"guest.yaml", 12, {std::string(64, 'd')}}};
    return info;
}

/// A text with another value, sealed anew: as a program of another version, or a forger, would write it.
std::string with(std::string text, const std::string& from, const std::string& to) {
    const auto at = text.find(from);
    REQUIRE(at != std::string::npos);
    text.replace(at, from.size(), to);
    const auto seal = text.rfind("\t\"sha256\"");
    text.resize(seal);
    return text + "\t\"sha256\": \"" + hex(digest_of(text)) + "\"\n}\n";
}

}  // namespace

TEST_CASE("manifest: what is written is read again") {
    const PointInfo info = some_point();
    const std::string text = write_manifest(info);
    const PointInfo read = read_manifest(text, "m");
    CHECK(write_manifest(read) == text);
    CHECK(read.number == 7);
    CHECK(read.parent == "20261124T063300Z");
    REQUIRE(read.disks.size() == 1);
    CHECK(read.disks[0].size == 1ULL << 40);
    CHECK(read.disks[0].dense == 65536);
    REQUIRE(read.files.size() == 3);
    CHECK(read.files[0].ranges == info.files[0].ranges);
}

TEST_CASE("state: what is written is read again") {
    const PointState state{
        true, "before \"the\"\nshutdown \xc3\xa4", "2026-11-25T06:33:00Z", {"a", "b"}, {"c"}};
    const PointState read = read_state(write_state(state), "s");
    CHECK(read.is_protected);
    CHECK(read.note == state.note);
    CHECK(read.verified == state.verified);
    CHECK(read.damage == state.damage);
    CHECK(read.quarantine == state.quarantine);
    CHECK_FALSE(read_state(write_state({}), "s").is_protected);
}

TEST_CASE("manifest: text that is no UTF-8 is kept as far as it can be") {
    const PointState read = read_state(write_state({.note = "f\xfcr Anna"}), "s");
    CHECK_THAT(read.note, Contains("r Anna"));
}

TEST_CASE("manifest: each changed, missing or added byte is seen") {
    const std::string manifest = write_manifest(some_point()), state = write_state({.note = "x"});
    for (std::size_t at = 0; at < manifest.size(); ++at)
        for (const int bit : {0, 5, 7}) {
            std::string bad = manifest;
            bad[at] = static_cast<char>(bad[at] ^ (1 << bit));
            CHECK_THROWS_WITH(read_manifest(bad, "here"), Contains("here is damaged"));
        }
    for (std::size_t at = 0; at < state.size(); ++at) {
        std::string bad = state;
        bad[at] ^= 1;
        CHECK_THROWS_WITH(read_state(bad, "here"), Contains("here is damaged"));
        CHECK_THROWS_WITH(read_state(state.substr(0, at), "here"), Contains("here is damaged"));
    }
    CHECK_THROWS_AS(read_manifest(manifest + "\n", "here"), Error);
    CHECK_THROWS_AS(read_manifest(state, "here"), Error);
    CHECK_THROWS_AS(read_state(manifest, "here"), Error);
}

TEST_CASE("manifest: values that cannot be are refused by their names") {
    const std::string good = write_manifest(some_point());
    CHECK_NOTHROW(read_manifest(with(good, "host1", "host2"), "m"));
    const std::vector<std::array<std::string, 3>> cases = {
        {"\"number\": 7", "\"number\": -7", "number"},
        {"\"number\": 7", "\"number\": \"7\"", "number"},
        {"\"number\": 7", "\"nummer\": 7", "number"},
        {"\"kind\": \"kvm\"", "\"kind\": \"xen\"", "kind"},
        {"\"name\": \"20261125T063300Z\"", "\"name\": \"../../etc\"", "name"},
        {"\"parent\": \"20261124T063300Z\"", "\"parent\": \"..\"", "parent"},
        {"\"file\": \"disk.qcow2\"", "\"file\": \"../disk.qcow2\"", "file"},
        {"\"file\": \"disk.qcow2\"", "\"file\": \".disk\"", "file"},
        {"\"name\": \"guest.yaml\"", "\"name\": \"/etc/shadow\"", "name"},
        {"\"name\": \"guest.yaml\"", "\"name\": \"\"", "name"},
        {"\"size\": 12", "\"size\": 12000000", "sha256"},
        {"\"size\": 12", "\"size\": 0", "sha256"},
        {"\"size\": 1099511627776", "\"size\": 9999999999999999999", "size"},
        {"\"range\": 4194304", "\"range\": 4096", "range"},
        {"\"target\": \"vda\"", "\"target\": null", "target"},
    };
    for (const auto& [from, to, what] : cases) {
        INFO(from << " -> " << to);
        CHECK_THROWS_WITH(read_manifest(with(good, from, to), "m"), Contains("m: '" + what + "'"));
    }
    CHECK_THROWS_WITH(read_manifest(with(good, "clara.point/1", "clara.point/2"), "m"),
                      Contains("another version"));
    PointInfo none = some_point();
    none.disks.clear();
    CHECK_THROWS_AS(read_manifest(write_manifest(none), "m"), Error);
}
