// Whatever happens to the files of a restore point is found.
#include <unistd.h>

#include "catch.hpp"
#include "points_world.hpp"

using namespace clara;
using Catch::Matchers::Contains;

namespace {

/// A point with a small disk, on another one.
struct Two : PointsWorld {
    RawDisk raw;
    std::string first, second;
    Two() : raw(beside("now.raw"), 300 << 10) {
        Dice dice(2);
        raw.write(0, dice.words(200));
        first = make(1, "", {{"disk.qcow2", &raw, "vda"}});
        raw.write(70000, dice.noise(700));
        second = make(2, first, {{"disk.qcow2", &raw, "vda"}});
    }
    /// What is wrong with the second point, as `clara-backup verify` sees it.
    std::vector<std::string> wrong() const {
        try {
            const Point point = points::read_point(store(), guest, second);
            return points::verify_stored(open_dir(folder(second)).get(), point.info, {.threads = 1});
        } catch (const Error& e) {
            return {e.message()};
        }
    }
    std::string file(const std::string& name) const { return folder(second) + "/" + name; }
};

void flip(int file, std::size_t at) {
    char byte = 0;
    REQUIRE(::pread(file, &byte, 1, static_cast<off_t>(at)) == 1);
    byte ^= 1;
    REQUIRE(::pwrite(file, &byte, 1, static_cast<off_t>(at)) == 1);
}

}  // namespace

TEST_CASE("verify: each flipped byte of each small file is found") {
    Two two;
    REQUIRE(two.wrong().empty());
    for (const auto& name : list_dir(two.folder(two.second))) {
        if (name == "disk.qcow2") continue;
        const std::size_t size = read_file(two.file(name))->size();
        const Fd file(::open(two.file(name).c_str(), O_RDWR | O_CLOEXEC));
        std::size_t missed = 0;
        for (std::size_t at = 0; at < size; ++at) {
            flip(file.get(), at);
            if (two.wrong().empty()) ++missed;
            flip(file.get(), at);
        }
        INFO(name << ": " << size << " bytes");
        CHECK(missed == 0);
    }
    CHECK(two.wrong().empty());
}

TEST_CASE("verify: each flipped byte of a disk is found") {
    Two two;
    const std::string path = two.file("disk.qcow2");
    const std::string good = *read_file(path);
    PointInfo info = two.info(two.second);
    std::erase_if(info.files, [](const PointFile& file) { return file.name != "disk.qcow2"; });
    const Fd folder = open_dir(two.folder(two.second)), file(::open(path.c_str(), O_RDWR | O_CLOEXEC));
    // All that is not zero, and a sample of what is: there are some 400,000 bytes.
    std::size_t looked = 0, missed = 0;
    for (std::size_t at = 0; at < good.size(); at += good[at] ? 1 : 509) {
        flip(file.get(), at);
        if (points::verify_stored(folder.get(), info, {.threads = 1}).empty()) ++missed;
        flip(file.get(), at);
        ++looked;
    }
    CHECK(looked > 1000);
    CHECK(missed == 0);
    CHECK(two.wrong().empty());
}

TEST_CASE("verify: says which bytes are damaged") {
    Two two;
    std::string bytes = *read_file(two.file("disk.qcow2"));
    bytes[66000] ^= 8;
    write_file(two.file("disk.qcow2"), bytes);
    const auto wrong = two.wrong();
    REQUIRE(wrong.size() == 1);
    CHECK(wrong[0] ==
          "disk.qcow2: bytes 0 to " + std::to_string(bytes.size() - 1) + " are not what was written");
}

TEST_CASE("verify: shorter, longer, missing and other files are found") {
    Two two;
    const std::string name = GENERATE("disk.qcow2", "disk.sums", "guest.yaml");
    const std::string path = two.file(name), good = *read_file(path);
    INFO(name);
    for (const std::size_t length : {std::size_t{0}, good.size() / 2, good.size() - 1, good.size() + 1}) {
        REQUIRE(::truncate(path.c_str(), static_cast<off_t>(length)) == 0);
        REQUIRE_FALSE(two.wrong().empty());
        CHECK_THAT(two.wrong()[0], Contains(name));
        write_file(path, good);
        REQUIRE(two.wrong().empty());
    }
    REQUIRE(::unlink(path.c_str()) == 0);
    CHECK_THAT(two.wrong().at(0), Contains(name) && Contains("No such file"));
    write_file(two.beside("same"), good);
    REQUIRE(::symlink(two.beside("same").c_str(), path.c_str()) == 0);
    CHECK_THAT(two.wrong().at(0), Contains(name));
}

TEST_CASE("verify: without its manifest or state a point is no point") {
    Two two;
    const std::string name = GENERATE("manifest.json", "state.json");
    REQUIRE(::unlink(two.file(name).c_str()) == 0);
    CHECK_THAT(two.wrong().at(0), Contains("has no " + name));
}

TEST_CASE("verify: content that differs from its digests is found, where all stored bytes are as written") {
    Two two;
    const Fd folder = open_dir(two.folder(two.second));
    const auto disk = points::open_packed(folder.get(), "disk.qcow2");
    const points::Sums good = points::load_sums(folder.get(), "disk.qcow2");
    REQUIRE(good.size() == 1);
    CHECK(points::verify_content(disk, good, "disk").empty());
    points::Sums other = good;
    other[0].digest[31] ^= 1;
    CHECK_THAT(points::verify_content(disk, other, "disk").at(0), Contains("the block at 65536"));
    other = good;
    other[0].cluster = 2;
    CHECK_THAT(points::verify_content(disk, other, "disk").at(0), Contains("do not fit together"));
    CHECK_THAT(points::verify_content(disk, {}, "disk").at(0), Contains("do not fit together"));
}

TEST_CASE("verify: digests that were not read prove nothing") {
    Two two;
    const auto without = points::read_points(two.store(), two.guest);
    CHECK_THROWS_WITH(points::verify_stored(open_dir(two.folder(two.second)).get(), without.back().info),
                      Contains("were not read"));
}
