// From a disk to the file of a restore point: of plain files, and of what a QEMU serves.
#include <signal.h>
#include <sys/wait.h>

#include <chrono>
#include <thread>

#include "catch.hpp"
#include "points_world.hpp"

using namespace clara;
using Catch::Matchers::Contains;

namespace {

/// qemu-nbd that serves one disk on a socket.
class Served {
  public:
    Served(const std::string& socket, std::vector<std::string> arguments) {
        arguments.insert(arguments.begin(), {"qemu-nbd", "-r", "-t", "-e", "8", "-k", socket});
        std::vector<char*> argv;
        for (auto& argument : arguments) argv.push_back(argument.data());
        argv.push_back(nullptr);
        pid_ = ::fork();
        if (pid_ == 0) {
            ::execvp(argv[0], argv.data());
            ::_exit(127);
        }
        for (int i = 0; i < 500 && !exists(socket); ++i)
            std::this_thread::sleep_for(std::chrono::milliseconds(20));
        REQUIRE(exists(socket));
    }
    Served(const Served&) = delete;
    Served& operator=(const Served&) = delete;
    ~Served() { stop(SIGTERM); }
    void stop(int signal) {
        if (pid_ <= 0) return;
        ::kill(pid_, signal);
        ::waitpid(pid_, nullptr, 0);
        pid_ = -1;
    }

  private:
    pid_t pid_ = -1;
};

struct Result {
    points::Packed packed;
    PointFile stored;
};

Result pack_to(const std::string& path, points::Source& source, const points::Sums& parent = {},
               const std::string& backing = "", const points::PackOptions& options = {}) {
    const Fd file(::open(path.c_str(), O_RDWR | O_CREAT | O_TRUNC | O_CLOEXEC, 0644));
    REQUIRE(file);
    points::PackedWriter writer(file.get(), source.size(), backing);
    Result result;
    result.packed = points::pack(source, parent, writer, result.stored, options);
    return result;
}

/// A disk that cannot be read from some byte on.
class Broken : public points::Source {
  public:
    explicit Broken(std::uint64_t from) : from_(from) {}
    std::uint64_t size() const override { return 16 << 20; }
    std::vector<points::Extent> candidates() override { return {{0, size()}}; }
    std::vector<points::Extent> data(const points::Extent& within) override { return {within}; }
    struct From : Reader {
        std::uint64_t from;
        explicit From(std::uint64_t at) : from(at) {}
        void read(std::uint64_t offset, char* to, std::size_t length) override {
            if (offset + length > from)
                throw Error(ErrorKind::partial, "the disk cannot be read at byte " + std::to_string(offset));
            std::fill_n(to, length, 'x');
        }
    };
    std::unique_ptr<Reader> reader() override { return std::make_unique<From>(from_); }

  private:
    std::uint64_t from_;
};

}  // namespace

TEST_CASE("pack: a chain of points shows at each what the disk was then") {
    const auto seed = GENERATE(1U, 2U, 3U);
    PointsWorld world;
    Dice dice(seed);
    RawDisk raw(world.beside("now.raw"), (5 << 20) + 512 * dice.below(400));
    std::string parent;
    for (unsigned number = 1; number <= 5; ++number) {
        raw.change(dice, 12);
        if (number == 3) raw.resize(raw.size() + 512 * (1 + dice.below(900)));
        if (number == 4) raw.write(0, std::string(2 << 20, '\0'));
        parent = world.make(number, parent, {{"disk.qcow2", &raw, "vda"}});
    }
    world.check_all();
}

TEST_CASE("pack: what did not change is not stored again, nor what is zero") {
    PointsWorld world;
    Dice dice(4);
    RawDisk raw(world.beside("now.raw"), 4 << 20);
    raw.write(0, dice.words(1 << 20));
    raw.write(2 << 20, dice.noise(65536));
    const auto first = world.make(1, "", {{"disk.qcow2", &raw, "vda"}});
    CHECK(world.info(first).disks[0].data == (1 << 20) + 65536);
    CHECK(world.info(first).disks[0].changed == (1 << 20) + 65536);
    CHECK(world.info(first).disks[0].dense == 65536);
    const auto second = world.make(2, first, {{"disk.qcow2", &raw, "vda"}});
    CHECK(world.info(second).disks[0].changed == 0);
    CHECK(world.info(second).disks[0].content == world.info(first).disks[0].content);
    raw.punch(65536, 65536);
    raw.write(3 << 20, std::string(65536, '\0'));
    const auto third = world.make(3, second, {{"disk.qcow2", &raw, "vda"}});
    CHECK(world.info(third).disks[0].changed == 65536);
    CHECK(world.info(third).disks[0].zeroed == 65536);
    world.check_all();
}

TEST_CASE("pack: an empty disk, and one without any data") {
    PointsWorld world;
    RawDisk raw(world.beside("now.raw"), GENERATE(512U, 65536U, 1U << 30));
    const auto first = world.make(1, "", {{"disk.qcow2", &raw, "vda"}});
    CHECK(world.info(first).disks[0].data == 0);
    world.check_all();
}

TEST_CASE("pack: any number of threads and any level make the same disk") {
    TempDir dir;
    Dice dice(6);
    RawDisk raw(dir / "raw", (20 << 20) + 512);
    raw.change(dice, 80);
    auto source = points::file_source(raw.file.get());
    const auto one = pack_to(dir / "a", *source, {}, "", {.threads = 1});
    const auto seven = pack_to(dir / "b", *source, {}, "", {.threads = 7});
    CHECK(*read_file(dir / "a", 1 << 30) == *read_file(dir / "b", 1 << 30));
    CHECK(one.stored.ranges == seven.stored.ranges);
    const auto strong = pack_to(dir / "c", *source, {}, "", {.level = 12, .rate = 1 << 30});
    CHECK(strong.packed.disk.content == one.packed.disk.content);
    CHECK(same_disks(raw.path, dir / "c"));
}

TEST_CASE("pack: progress ends at all there is") {
    TempDir dir;
    Dice dice(7);
    RawDisk raw(dir / "raw", 5 << 20);
    raw.write(0, dice.words(3 << 20));
    auto source = points::file_source(raw.file.get());
    std::vector<std::uint64_t> done, of;
    points::PackOptions options;
    options.progress = [&](std::uint64_t now, std::uint64_t all) { done.push_back(now), of.push_back(all); };
    pack_to(dir / "a", *source, {}, "", options);
    REQUIRE_FALSE(done.empty());
    CHECK(std::is_sorted(done.begin(), done.end()));
    CHECK(done.back() == 3 << 20);
    CHECK(of.front() == 3 << 20);
}

TEST_CASE("pack: a disk that cannot be read is told, wherever it fails") {
    TempDir dir;
    Broken broken(GENERATE(0U, 1U << 20, 7U << 20, (16U << 20) - 1));
    CHECK(kind_of([&] { pack_to(dir / "a", broken); }) == ErrorKind::partial);
}

TEST_CASE("pack: a disk that becomes shorter meanwhile is told") {
    TempDir dir;
    Dice dice(8);
    RawDisk raw(dir / "raw", 4 << 20);
    raw.write(0, dice.words(4 << 20));
    auto source = points::file_source(raw.file.get());
    auto reader = source->reader();
    raw.resize(1 << 20);
    std::string bytes(65536, '\0');
    CHECK_NOTHROW(reader->read(0, bytes.data(), bytes.size()));
    CHECK_THROWS_WITH(reader->read(1 << 20, bytes.data(), bytes.size()), Contains("it has become shorter"));
}

TEST_CASE("pack: of a disk that a QEMU serves, whole and by a bitmap") {
    TempDir dir;
    Dice dice(9);
    RawDisk raw(dir / "raw", 6 << 20);
    raw.change(dice, 40);
    const std::string disk = dir / "live.qcow2", socket = dir / "socket";
    qemu_img({"convert", "-f", "raw", "-O", "qcow2", raw.path, disk});
    Result first;
    {
        Served served(socket, {"-x", "vda", "-f", "qcow2", disk});
        auto source = points::nbd_source(socket, "vda", "");
        CHECK(source->size() == 6 << 20);
        first = pack_to(dir / "first.qcow2", *source);
    }
    CHECK(same_disks(raw.path, dir / "first.qcow2"));
    ::unlink(socket.c_str());
    qemu_img({"bitmap", "--add", "-f", "qcow2", disk, "since"});
    qemu_io(disk, {"write -P 7 1M 70k", "write -z 3M 200k", "discard 5M 64k"});
    const auto check = [&](const std::string& bitmap, const std::string& target) {
        std::vector<std::string> arguments{"-x", "vda", "-f", "qcow2", disk};
        if (!bitmap.empty()) arguments.insert(arguments.begin(), {"-B", bitmap});
        Served served(socket, arguments);
        auto source = points::nbd_source(socket, "vda", bitmap);
        auto result = pack_to(dir / target, *source, first.packed.sums, "first.qcow2");
        run_ok({"qemu-img", "rebase", "-u", "-f", "qcow2", "-F", "qcow2", "-b", dir / "first.qcow2",
                dir / target});
        CHECK(run({"qemu-img", "compare", "-f", "qcow2", "-F", "qcow2", disk, dir / target}).status == 0);
        served.stop(SIGTERM);
        ::unlink(socket.c_str());
        return result;
    };
    const auto counted = check("since", "second.qcow2"), all = check("", "third.qcow2");
    CHECK(counted.packed.disk.content == all.packed.disk.content);
    CHECK(counted.packed.sums == all.packed.sums);
    CHECK(counted.packed.disk.read <= 1 << 20);
    CHECK(counted.packed.disk.read < all.packed.disk.read);
}

TEST_CASE("pack: of a QEMU's disk that is not there, has no such bitmap, or goes away") {
    TempDir dir;
    const std::string disk = dir / "live.qcow2", socket = dir / "socket";
    CHECK_THROWS_WITH(points::nbd_source(socket, "vda", ""), Contains("cannot read disk vda"));
    qemu_img({"create", "-q", "-f", "qcow2", disk, "4M"});
    qemu_io(disk, {"write -P 3 0 4M"});
    Served served(socket, {"-x", "vda", "-f", "qcow2", disk});
    CHECK_THROWS_WITH(points::nbd_source(socket, "vdb", ""), Contains("cannot read disk vdb"));
    CHECK_THROWS_WITH(points::nbd_source(socket, "vda", "none"), Contains("qemu:dirty-bitmap:none"));
    auto source = points::nbd_source(socket, "vda", "");
    auto reader = source->reader();
    served.stop(SIGKILL);
    std::string bytes(65536, '\0');
    CHECK(kind_of([&] { reader->read(0, bytes.data(), bytes.size()); }) == ErrorKind::partial);
    CHECK_THROWS_AS(source->data({0, 4 << 20}), Error);
}

TEST_CASE("pack: a QEMU's disk with a bad block is told with its place") {
    TempDir dir;
    Dice dice(10);
    RawDisk raw(dir / "raw", 4 << 20);
    raw.write(0, dice.words(4 << 20));
    const std::string socket = dir / "socket";
    // Sector 4096, byte 2 MiB, answers with EIO (5).
    write_file(dir / "rules",
               "[inject-error]\nevent = \"none\"\niotype = \"read\"\nerrno = \"5\"\nsector = \"4096\"\n");
    Served served(socket, {"-x", "vda", "--image-opts",
                           "driver=raw,file.driver=blkdebug,file.config=" + (dir / "rules") +
                               ",file.image.driver=file,"
                               "file.image.filename=" +
                               raw.path});
    auto source = points::nbd_source(socket, "vda", "");
    try {
        pack_to(dir / "a", *source);
        FAIL("nothing was thrown");
    } catch (const Error& e) {
        CHECK(e.kind() == ErrorKind::partial);
        CHECK_THAT(e.message(), Contains("cannot be read at byte 2097152") && Contains("Input/output error"));
    }
}
