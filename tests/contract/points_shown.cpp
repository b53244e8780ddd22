// A point's disk as programs see it through FUSE: what QEMU shows of it, and writes that the point never
// sees.
#include <sys/stat.h>

#include "catch.hpp"
#include "clara/drivers/disks/volumes.hpp"
#include "clara/drivers/points/examine.hpp"
#include "clara/drivers/points/seen_disk.hpp"
#include "clara/drivers/points/shown_disk.hpp"
#include "points_world.hpp"

using namespace clara;
using namespace clara::points;

namespace {

constexpr std::uint64_t size = (24 << 20) + 5120;  // ends within a cluster

/// Three points on each other, and the disk as it was at the last.
struct Chain {
    PointsWorld world;
    RawDisk raw{world.beside("raw"), size};
    std::string last;

    explicit Chain(std::uint64_t seed) {
        Dice dice(seed);
        for (unsigned day = 1; day <= 3; ++day) {
            raw.change(dice, 60);
            last = world.make(day, last, {{"disk.qcow2", &raw, "vda"}});
        }
    }
    std::string file() const { return world.folder(last) + "/disk.qcow2"; }
};

std::string bytes_of(const std::string& path) {
    return *read_file(path, std::size_t{1} << 30);
}

}  // namespace

TEST_CASE("points shown: every byte is what the guest saw, at whatever place it is read") {
    const Chain chain(GENERATE(1, 2, 3));
    const std::string right = bytes_of(chain.raw.path);
    SeenDisk seen(chain.file());
    REQUIRE(seen.size() == size);
    std::string bytes(size, 'x');
    seen.read(0, bytes.data(), size);
    CHECK(bytes == right);
    Dice dice(7);
    for (int i = 0; i < 300; ++i) {
        const std::uint64_t at = dice.below(size);
        const std::size_t length = std::min<std::uint64_t>(1 + dice.below(200000), size - at);
        seen.read(at, bytes.data(), length);
        REQUIRE(std::equal(bytes.begin(), bytes.begin() + static_cast<std::ptrdiff_t>(length),
                           right.begin() + static_cast<std::ptrdiff_t>(at)));
    }
}

TEST_CASE("points shown: programs read it as a file, and what they write stays out of the point") {
    if (!is_root()) return;
    const Chain chain(4);
    std::string right = bytes_of(chain.raw.path);
    SeenDisk seen(chain.file());
    const std::string stored = bytes_of(chain.file());
    {
        const ShownDisk shown(seen);
        CHECK(bytes_of(shown.path()) == right);
        CHECK(run({"cmp", shown.path(), chain.raw.path}).status == 0);
        const Fd file(::open(shown.path().c_str(), O_RDWR | O_CLOEXEC));
        REQUIRE(file);
        Dice dice(5);
        for (int i = 0; i < 200; ++i) {
            const std::uint64_t at = dice.below(size);
            const std::string part = dice.any(std::min<std::uint64_t>(1 + dice.below(100000), size - at));
            REQUIRE(::pwrite(file.get(), part.data(), part.size(), static_cast<off_t>(at)) ==
                    static_cast<ssize_t>(part.size()));
            right.replace(at, part.size(), part);
        }
        CHECK(::fsync(file.get()) == 0);
        CHECK(::posix_fadvise(file.get(), 0, 0, POSIX_FADV_DONTNEED) == 0);
        CHECK(bytes_of(shown.path()) == right);
        CHECK(::pwrite(file.get(), "x", 1, size) < 0);  // a disk does not grow
        CHECK(::ftruncate(file.get(), 4096) < 0);
    }
    CHECK(bytes_of(chain.file()) == stored);
    CHECK(bytes_of(ShownDisk(seen).path()) == bytes_of(chain.raw.path));
}

TEST_CASE("points shown: a part of the disk is a file of its own") {
    if (!is_root()) return;
    const Chain chain(6);
    const std::string right = bytes_of(chain.raw.path);
    SeenDisk seen(chain.file());
    const std::uint64_t offset = (1 << 20) + 512, length = (5 << 20) + 1024;
    const ShownDisk part(seen, offset, length);
    CHECK(bytes_of(part.path()) == right.substr(offset, length));
    struct stat st {};
    REQUIRE(::stat(part.path().c_str(), &st) == 0);
    CHECK(static_cast<std::uint64_t>(st.st_size) == length);
}

TEST_CASE("points shown: a damaged block is an error where it lies, and nowhere else") {
    if (!is_root()) return;
    const Chain chain(8);
    std::uint64_t at = 0, length = 0, index = 0;
    {
        const PackedReader reader(Fd(::open(chain.file().c_str(), O_RDONLY | O_CLOEXEC)), "disk");
        for (const auto& cluster : reader.clusters())
            if (cluster.kind == PackedReader::Kind::compressed)
                at = cluster.offset, length = cluster.length, index = cluster.index;
    }
    REQUIRE(length > 0);
    const Fd file(::open(chain.file().c_str(), O_RDWR | O_CLOEXEC));
    REQUIRE(::pwrite(file.get(), "damaged!", 8, static_cast<off_t>(at)) == 8);
    SeenDisk seen(chain.file());
    const ShownDisk shown(seen);
    const Fd through(::open(shown.path().c_str(), O_RDONLY | O_CLOEXEC));
    REQUIRE(through);
    char byte = 0;
    CHECK(::pread(through.get(), &byte, 1, static_cast<off_t>(index * cluster_size)) < 0);
    CHECK(errno == EIO);
    if (index > 4) CHECK(::pread(through.get(), &byte, 1, 0) == 1);
}

TEST_CASE("points shown: it goes with the process, however that ends") {
    if (!is_root()) return;
    const Chain chain(9);
    int ends[2];
    REQUIRE(::pipe(ends) == 0);
    const pid_t child = ::fork();
    if (child == 0) {
        SeenDisk seen(chain.file());
        const ShownDisk shown(seen);
        const std::string path = shown.path();
        if (::write(ends[1], path.data(), path.size()) > 0) ::pause();
        ::_exit(1);
    }
    std::string path(200, '\0');
    const ssize_t got = ::read(ends[0], path.data(), path.size());
    REQUIRE(got > 0);
    path.resize(static_cast<std::size_t>(got));
    const Fd open_file(::open(path.c_str(), O_RDONLY | O_CLOEXEC));
    CHECK(open_file);
    ::kill(child, SIGKILL);
    ::waitpid(child, nullptr, 0);
    char byte = 0;
    CHECK(::pread(open_file.get(), &byte, 1, 8 << 20) < 0);
    CHECK_FALSE(exists(path));
    ::close(ends[0]), ::close(ends[1]);
}

TEST_CASE("points shown: file systems of a machine's disk are looked through, whatever else is beside them") {
    if (!is_root()) return;
    PointsWorld world;
    RawDisk raw(world.beside("raw"), 64 << 20);
    // 1: an ext4 that was written to, 2: swap, 3: none
    run_ok({"sfdisk", "-q", raw.path}, {.input = "label: gpt\nsize=32MiB\nsize=8MiB\n-\n"});
    make_dirs(world.beside("tree"));
    write_file(world.beside("tree") + "/mark", "here");
    run_ok({"mkfs.ext4", "-q", "-F", "-d", world.beside("tree"), "-E", "offset=1048576", raw.path, "32M"});
    raw.write((33 << 20) + 4086, "SWAPSPACE2");
    const std::string sound = world.make(1, "", {{"disk.qcow2", &raw, "vda"}});
    const std::string file = world.folder(sound) + "/disk.qcow2";
    SeenDisk seen(file);
    const auto volumes = find_ext_volumes(ShownDisk(seen).path());
    REQUIRE(volumes.size() == 1);
    CHECK(volumes[0].number == 1);
    CHECK(volumes[0].offset == 1 << 20);
    CHECK(examine_machine(file).empty());
    // Its tables are gone.
    Dice dice(1);
    raw.write((1 << 20) + 4096, dice.noise(3 << 20));
    const auto reasons =
        examine_machine(world.folder(world.make(2, sound, {{"disk.qcow2", &raw, "vda"}})) + "/disk.qcow2");
    REQUIRE(reasons.size() == 1);
    CHECK(reasons[0].find("partition 1: its file system is damaged") == 0);
}
