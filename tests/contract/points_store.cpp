// Listing restore points, thousands of them and damaged ones; a store that is full.
#include <chrono>
#include <iostream>

#include "catch.hpp"
#include "copy_tools.hpp"
#include "points_world.hpp"

using namespace clara;
using Catch::Matchers::Contains;

namespace {

std::string name_of(unsigned number) {
    char name[32];
    std::snprintf(name, sizeof name, "2026%02u%02uT%02u%02u00Z", 1 + number / 60 / 24 / 28 % 12,
                  1 + number / 60 / 24 % 28, number / 60 % 24, number % 60);
    return name;
}

PointInfo info_of(unsigned number) {
    PointInfo info{.guest = "bpm01",
                   .name = name_of(number),
                   .number = number,
                   .time = "2026-01-01T00:00:00Z",
                   .kind = "lxc"};
    info.disks = {{"disk.qcow2", "", 1 << 20, 0, 0, 0, 0, 0, ""}};
    info.files = {{"disk.qcow2", 5, {std::string(64, 'a')}}};
    return info;
}

void put(const std::string& store, const PointInfo& info) {
    const std::string folder = pool::point(store, "bpm01", info.name);
    make_dirs(folder);
    const Fd to = open_dir(folder);
    write_file_at(to.get(), "manifest.json", points::write_manifest(info), 0644, Durable::nothing);
    write_file_at(to.get(), "state.json", points::write_state({}), 0644, Durable::nothing);
}

}  // namespace

TEST_CASE("store: thousands of points are listed") {
    TempDir store;
    for (unsigned number = 1; number <= 5000; ++number) put(store.path(), info_of(number));
    const auto begin = std::chrono::steady_clock::now();
    const auto points = points::read_points(store.path(), "bpm01");
    const std::chrono::duration<double> took = std::chrono::steady_clock::now() - begin;
    std::cout << "5,000 points listed in " << took.count() << " s\n";
    REQUIRE(points.size() == 5000);
    for (unsigned i = 0; i < 5000; ++i) REQUIRE(points[i].info.number == i + 1);
    CHECK(points[0].problem.empty());
    CHECK(points[0].stored == 5);
    CHECK(points[0].info.files.at(0).ranges.empty());
    CHECK(points::read_points(store.path(), "bpm01", true)[0].info.files.at(0).ranges.size() == 1);
}

TEST_CASE("store: one without a folder of backups, or of that guest, has no points") {
    TempDir store;
    CHECK(points::read_points(store.path()).empty());
    CHECK(points::read_points(store.path(), "bpm01").empty());
    const std::pair<std::string, std::string> wrong[] = {
        {"bpm01", name_of(1)}, {"bpm01", "../../etc"}, {"../..", name_of(1)}};
    for (const auto& [guest, name] : wrong)
        CHECK(kind_of([&] { points::read_point(store.path(), guest, name); }) == ErrorKind::usage);
}

TEST_CASE("store: the order is by number, whatever the clock said") {
    TempDir store;
    PointInfo early = info_of(100), late = info_of(50);
    early.number = 1, late.number = 2;
    put(store.path(), early), put(store.path(), late);
    const auto points = points::read_points(store.path(), "bpm01");
    REQUIRE(points.size() == 2);
    CHECK(points[0].info.name == early.name);
}

TEST_CASE("store: a damaged manifest is a problem, and keeps its place") {
    TempDir store;
    for (unsigned number = 1; number <= 5; ++number) put(store.path(), info_of(number));
    const std::string third = pool::point(store.path(), "bpm01", name_of(3));
    const std::string fifth = pool::point(store.path(), "bpm01", name_of(5));
    write_file(third + "/manifest.json", "{}");
    REQUIRE(::unlink((fifth + "/manifest.json").c_str()) == 0);
    PointInfo liar = info_of(2);
    liar.guest = "bpm02";
    write_file(pool::point(store.path(), "bpm01", name_of(2)) + "/manifest.json",
               points::write_manifest(liar));
    const auto points = points::read_points(store.path(), "bpm01");
    REQUIRE(points.size() == 5);
    for (unsigned i = 0; i < 5; ++i) CHECK(points[i].info.name == name_of(i + 1));
    CHECK(points[0].good());
    CHECK_THAT(points[1].problem, Contains("says that it is bpm02/"));
    CHECK_THAT(points[2].problem, Contains("is damaged"));
    CHECK(points[3].good());
    CHECK_THAT(points[4].problem, Contains("has no manifest.json"));
    CHECK(points[2].info.guest == "bpm01");
    CHECK(kind_of([&] { points::read_point(store.path(), "bpm01", name_of(3)); }) == ErrorKind::failed);
}

TEST_CASE("store: what is no point and no guest is not looked at") {
    TempDir store;
    put(store.path(), info_of(1));
    const std::string guest = pool::backups(store.path(), "bpm01");
    make_dirs(guest + "/." + name_of(2) + ".partial");
    make_dirs(guest + "/notes");
    write_file(guest + "/README", "mine");
    write_file(pool::backups(store.path()) + "/readme", "mine");
    write_file(pool::backups(store.path()) + "/.store.json", "{}");
    make_dirs(pool::backups(store.path()) + "/lost+found");
    CHECK(points::read_points(store.path(), "bpm01").size() == 1);
    const auto all = points::read_points(store.path());
    REQUIRE(all.size() == 1);
    CHECK(all.begin()->first == "bpm01");
}

TEST_CASE("store: a state is replaced whole") {
    TempDir store;
    put(store.path(), info_of(1));
    points::put_state(store.path(), "bpm01", name_of(1), {.is_protected = true, .note = "keep"});
    const Point point = points::read_point(store.path(), "bpm01", name_of(1));
    CHECK(point.state.is_protected);
    CHECK(point.state.note == "keep");
    CHECK(hidden(pool::point(store.path(), "bpm01", name_of(1))).empty());
}

TEST_CASE("store: who has its points locked is named") {
    TempDir store;
    using std::chrono::milliseconds;
    const auto lock = points::lock_points(store.path(), "bpm01", "backup of bpm01", milliseconds(0));
    CHECK_THROWS_WITH(points::lock_points(store.path(), "bpm01", "removing", milliseconds(0)),
                      Contains("backup of bpm01"));
    CHECK_NOTHROW(points::lock_points(store.path(), "bpm02", "backup of bpm02", milliseconds(0)));
}

TEST_CASE("store: what killed runs have left is cleared, a point under its other name is put in place") {
    TempDir store;
    put(store.path(), info_of(1));
    put(store.path(), info_of(2));
    const std::string guest = pool::backups(store.path(), "bpm01");
    for (const std::string suffix : {".partial", ".removed", ".merged"})
        make_dirs(guest + "/." + name_of(1) + suffix + "/deep");
    std::filesystem::rename(guest + "/" + name_of(2), guest + "/." + name_of(2) + ".merged");
    points::open_clean_points(store.path(), "bpm01");
    CHECK(list_dir(guest) == std::vector<std::string>{name_of(1), name_of(2)});
    CHECK(points::read_points(store.path(), "bpm01").at(1).problem.empty());
}

TEST_CASE("store: one that is full says so, and keeps nothing of what did not fit") {
    if (!is_root()) return;
    TempDir dir;
    Dice dice(1);
    RawDisk raw(dir / "raw", 8 << 20);
    raw.write(0, dice.noise(8 << 20));
    SmallPool small("3m");
    const std::string partial = pool::backups(small.path, "bpm01") + "/." + name_of(1) + ".partial";
    make_dirs(partial);
    {
        const Fd file(::open((partial + "/disk.qcow2").c_str(), O_RDWR | O_CREAT | O_CLOEXEC, 0644));
        auto source = points::file_source(raw.file.get());
        points::PackedWriter writer(file.get(), source->size(), "");
        PointFile stored;
        CHECK_THROWS_WITH(points::pack(*source, {}, writer, stored),
                          Contains("cannot write to the store") && Contains("No space left"));
    }
    CHECK(free_bytes(small.path) < (1 << 20));
    points::open_clean_points(small.path, "bpm01");
    CHECK(list_dir(pool::backups(small.path, "bpm01")).empty());
    CHECK(free_bytes(small.path) > (2 << 20));
}
