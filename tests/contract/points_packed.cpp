// Packed disks as QEMU sees them, and as they are read after damage.
#include <zstd.h>

#include "catch.hpp"
#include "clara/drivers/points/packed_format.hpp"
#include "points_world.hpp"

using namespace clara;
using namespace clara::points;

namespace {

constexpr std::uint64_t whole = cluster_size;

std::string frame_of(const std::string& content, int level = 1) {
    std::string frame(::ZSTD_compressBound(content.size()), '\0');
    const std::size_t length =
        ::ZSTD_compress(frame.data(), frame.size(), content.data(), content.size(), level);
    REQUIRE_FALSE(::ZSTD_isError(length));
    frame.resize(length);
    return frame;
}

/// A packed disk beside the plain one that has the same content.
struct Pair {
    RawDisk raw;
    std::string path;
    Fd file;
    PackedWriter writer;

    Pair(const TempDir& dir, std::uint64_t size, const std::string& backing = "")
        : raw(dir / "raw", size),
          path(dir / "disk.qcow2"),
          file(::open(path.c_str(), O_RDWR | O_CREAT | O_TRUNC | O_CLOEXEC, 0644)),
          writer(file.get(), size, backing) {}

    void add(std::uint64_t cluster, const std::string& content, bool plain) {
        plain ? writer.add_plain(cluster, content) : writer.add_compressed(cluster, frame_of(content));
        const std::uint64_t at = cluster * whole;
        raw.write(at, content.substr(0, std::min(whole, raw.size() - at)));
    }
    void zero(std::uint64_t cluster) {
        writer.add_zero(cluster);
        raw.punch(cluster * whole, whole);
    }
    void check(const PointFile& stored) {
        CHECK(run({"qemu-img", "check", "-f", "qcow2", path}).status == 0);
        CHECK(same_disks(raw.path, path));
        const std::string bytes = *read_file(path, std::size_t{1} << 30);
        CHECK(stored.size == bytes.size());
        CHECK(stored.ranges == listed("disk", bytes).ranges);
    }
};

std::string content_for(Dice& dice, std::uint64_t left) {
    std::string content = dice.any(whole);
    if (left < whole) std::fill(content.begin() + static_cast<std::ptrdiff_t>(left), content.end(), '\0');
    return content;
}

/// Reads all there is; false where it is refused as damaged.
bool readable(const std::string& path) {
    try {
        const PackedReader reader(Fd(::open(path.c_str(), O_RDONLY | O_CLOEXEC)), "disk");
        std::string content(whole, '\0');
        for (const auto& cluster : reader.clusters())
            if (cluster.length > 0) reader.content(cluster, content.data());
        return true;
    } catch (const Error& e) {
        CHECK(e.kind() == ErrorKind::failed);
        return false;
    }
}

}  // namespace

TEST_CASE("packed: QEMU sees what was written, and finds nothing wrong") {
    const auto seed = GENERATE(range(1, 7));
    TempDir dir;
    Dice dice(static_cast<std::uint64_t>(seed));
    Pair pair(dir, (10 << 20) + 512 * dice.below(300));
    std::vector<std::uint64_t> used;
    const std::uint64_t clusters = (pair.raw.size() + whole - 1) / whole;
    for (std::uint64_t i = 0; i < clusters; ++i)
        if (dice.below(3) > 0 || i + 1 == clusters) {
            pair.add(i, content_for(dice, pair.raw.size() - i * whole), dice.below(3) == 0);
            used.push_back(i);
        }
    pair.check(pair.writer.finish());
    const PackedReader reader(Fd(::open(pair.path.c_str(), O_RDONLY | O_CLOEXEC)), "disk");
    CHECK(reader.size() == pair.raw.size());
    CHECK_FALSE(reader.backed());
    REQUIRE(reader.clusters().size() == used.size());
    std::string content(whole, '\0'), expected(whole, '\0');
    for (std::size_t i = 0; i < used.size(); ++i) {
        REQUIRE(reader.clusters()[i].index == used[i]);
        reader.content(reader.clusters()[i], content.data());
        expected.assign(whole, '\0');
        REQUIRE(::pread(pair.raw.file.get(), expected.data(), whole, static_cast<off_t>(used[i] * whole)) >
                0);
        REQUIRE(content == expected);
    }
}

TEST_CASE("packed: on a backing file, whose content zeros hide") {
    TempDir dir;
    Dice dice(12);
    qemu_img({"create", "-q", "-f", "qcow2", dir / "below.qcow2", "4M"});
    qemu_io(dir / "below.qcow2", {"write -P 9 0 4M"});
    Pair pair(dir, (4 << 20) + 1024, "below.qcow2");
    pair.raw.write(0, std::string(4 << 20, '\x09'));
    for (std::uint64_t i = 0; i < 64; ++i) {
        if (i % 4 == 0) pair.zero(i);
        if (i % 4 == 1) pair.add(i, dice.any(whole), i % 8 == 1);
    }
    pair.check(pair.writer.finish());
    const PackedReader reader(Fd(::open(pair.path.c_str(), O_RDONLY | O_CLOEXEC)), "disk");
    CHECK(reader.backing() == "below.qcow2");
}

TEST_CASE("packed: disks of any size, with nothing in them and with something far behind") {
    const std::uint64_t size = GENERATE(512ULL, 65536ULL, 66048ULL, (600ULL << 20) + 512, 64ULL << 30);
    const bool empty = GENERATE(true, false);
    TempDir dir;
    Dice dice(13);
    Pair pair(dir, size);
    const std::uint64_t last = (size - 1) / whole;
    if (!empty) {
        if (last > 8192) pair.add(8191, dice.words(whole), false), pair.add(8192, dice.noise(whole), true);
        pair.add(last, content_for(dice, size - last * whole), false);
    }
    const PointFile stored = pair.writer.finish();
    CHECK(stored.size < (2 << 20));
    pair.check(stored);
}

TEST_CASE("packed: more than one range of digests, and more frames than sectors") {
    TempDir dir;
    Dice dice(14);
    Pair pair(dir, 300 << 20);
    for (std::uint64_t i = 0; i < 4600; ++i)
        pair.add(i, i % 50 == 0 ? dice.noise(whole) : std::string(whole, static_cast<char>('a' + i % 20)),
                 i % 50 == 0);
    const PointFile stored = pair.writer.finish();
    CHECK(stored.ranges.size() >= 2);
    pair.check(stored);
}

TEST_CASE("packed: what cannot be written is refused") {
    TempDir dir;
    Pair pair(dir, 65536);
    CHECK_THROWS_AS(pair.writer.add_compressed(1, frame_of(std::string(whole, 'a'))), Error);
    CHECK_THROWS_AS(pair.writer.add_plain(0, "short"), Error);
    CHECK_THROWS_AS(PackedWriter(pair.file.get(), 65536, std::string(1024, 'x')), Error);
}

TEST_CASE("packed: any damage of header and tables is refused, or does no harm") {
    TempDir dir;
    Dice dice(15);
    Pair pair(dir, 700 << 10, "below.qcow2");
    pair.writer.add_zero(0);
    pair.add(1, dice.words(whole), false);
    pair.add(2, dice.noise(whole), true);
    pair.add(3, std::string(whole, 'c'), false);
    pair.writer.finish();
    REQUIRE(readable(pair.path));
    const std::string good = *read_file(pair.path);
    const std::uint64_t l1 = format::get64(good, format::at_l1);
    const std::uint64_t l2 = format::get64(good, l1) & format::offset_mask;
    const auto flip_all = [&](std::uint64_t from, std::size_t count) {
        std::size_t refusals = 0;
        for (std::uint64_t at = from; at < from + count; ++at)
            for (int bit = 0; bit < 8; ++bit) {
                const char bad = static_cast<char>(good[at] ^ (1 << bit));
                REQUIRE(::pwrite(pair.file.get(), &bad, 1, static_cast<off_t>(at)) == 1);
                if (!readable(pair.path)) ++refusals;
                REQUIRE(::pwrite(pair.file.get(), &good[at], 1, static_cast<off_t>(at)) == 1);
            }
        return refusals;
    };
    CHECK(flip_all(0, 160) > 300);
    CHECK(flip_all(l1, 64) > 30);
    CHECK(flip_all(l2, 128) > 100);
    CHECK(flip_all(whole, 300) > 20);  // frames
    CHECK(readable(pair.path));
}

TEST_CASE("packed: a file that ends too early, or is none, is refused") {
    TempDir dir;
    Dice dice(16);
    Pair pair(dir, 700 << 10);
    pair.add(1, dice.words(whole), false);
    const PointFile stored = pair.writer.finish();
    const std::uint64_t l1 = format::get64(*read_file(pair.path), format::at_l1);
    for (const std::uint64_t length : {std::uint64_t{0}, std::uint64_t{111}, whole, l1, l1 + 7}) {
        REQUIRE(::truncate(pair.path.c_str(), static_cast<off_t>(length)) == 0);
        INFO(length << " of " << stored.size);
        CHECK_FALSE(readable(pair.path));
    }
    write_file(pair.path, dice.noise(200000));
    CHECK_FALSE(readable(pair.path));
}

TEST_CASE("packed: a table that is used again and again does not fill the memory") {
    TempDir dir;
    Pair pair(dir, 8ULL << 40);
    pair.add(1, std::string(whole, 'a'), false);
    pair.writer.finish();
    const std::string head = *read_file(pair.path);
    const std::uint64_t l1 = format::get64(head, format::at_l1);
    std::string table = head.substr(l1, 128 << 10);
    for (std::size_t at = 8; at < table.size(); at += 8) table.replace(at, 8, table.substr(0, 8));
    REQUIRE(::pwrite(pair.file.get(), table.data(), table.size(), static_cast<off_t>(l1)) == 128 << 10);
    CHECK_FALSE(readable(pair.path));
}
