// Copies of disks that are written to meanwhile, and file systems that are held still for it.
#include "clara/drivers/storage/live_copy.hpp"

#include <fcntl.h>
#include <linux/fs.h>
#include <signal.h>
#include <sys/ioctl.h>
#include <sys/stat.h>
#include <sys/wait.h>

#include <atomic>
#include <thread>

#include "catch.hpp"
#include "clara/base/error.hpp"
#include "clara/base/files.hpp"
#include "clara/base/process.hpp"
#include "clara/drivers/storage/disk_file.hpp"
#include "clara/drivers/storage/freeze.hpp"
#include "clara/drivers/storage/mount.hpp"
#include "clara/drivers/storage/same_bytes.hpp"
#include "temp_dir.hpp"

using namespace clara;
using namespace std::chrono_literals;
using Catch::Matchers::Contains;

namespace {

bool is_root() {
    if (::geteuid() == 0) return true;
    WARN("needs root: not run");
    return false;
}

/// A disk as guests have it, mounted where nobody sees it.
struct Disk : TempDir {
    Fd file, mount, root;
    Disk() {
        run_ok({"truncate", "-s", "64M", *this / "disk.raw"});
        run_ok({"mkfs.ext4", "-q", "-F", "-b", "1024", "-J", "size=1", *this / "disk.raw"});
        file = open_disk(open_dir(path()).get(), "disk.raw", 2s);
        Loop loop = attach_loop(file.get(), LoopMode::read_write);
        mount = new_mount("ext4", loop.path, {});
        root = open_dir_at(mount.get(), ".");
    }
    void write(const std::string& name, const std::string& text, bool sync) const {
        Fd to(::openat(root.get(), name.c_str(), O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0600));
        write_all(to.get(), text);
        if (sync) fsync_or_throw(to.get(), name);
    }
    LiveCopy copy(const std::string& name, const LiveLimits& limits) const {
        Fd to(::open((path() + "/" + name).c_str(), O_RDWR | O_CREAT | O_TRUNC | O_CLOEXEC, 0600));
        return copy_live(file.get(), root.get(), to.get(), limits);
    }
    /// As the next mount would find it; e2fsck says 1 where it had a journal to replay.
    std::string settled(const std::string& name, const std::string& path_inside) const {
        const RunResult result = run({"/sbin/e2fsck", "-fp", path() + "/" + name});
        INFO(result.out << result.err);
        CHECK(result.status <= 1);
        CHECK(run({"/sbin/e2fsck", "-fn", path() + "/" + name}).status == 0);
        return read_disk_file(path() + "/" + name, path_inside, 100).value_or("");
    }
};

/// A thread for as long as this lives.
struct Background {
    std::atomic<bool> end{false};
    std::thread thread;
    template <class Work>
    explicit Background(Work work)
        : thread([this, work]() mutable {
              while (!end) work();
          }) {}
    ~Background() {
        end = true;
        thread.join();
    }
};

bool can_write(const Disk& disk, std::chrono::milliseconds within) {
    // In a child: one that waits for a thaw cannot be ended, only left.
    pid_t child = ::fork();
    if (child == 0) {
        disk.write("probe", "x", false);
        ::_exit(0);
    }
    for (auto left = within; left > 0ms; left -= 5ms) {
        if (::waitpid(child, nullptr, WNOHANG) == child) return true;
        std::this_thread::sleep_for(5ms);
    }
    return false;
}

}  // namespace

TEST_CASE("a quiet disk is copied without blocking a write, with all that was written before") {
    if (!is_root()) return;
    Disk disk;
    disk.write("a", "not synced", false);
    const LiveCopy copy = disk.copy("copy.raw", {});
    CHECK(copy.how != LiveCopy::How::frozen);
    CHECK(copy.blocked == 0us);
    CHECK(disk.settled("copy.raw", "/a") == "not synced");
    struct stat st {};
    REQUIRE(::stat((disk / "copy.raw").c_str(), &st) == 0);
    CHECK(st.st_size == 64 << 20);
    CHECK(st.st_blocks * 512 < 16 << 20);
}

TEST_CASE("a copy is of one moment, however much is written") {
    if (!is_root()) return;
    // Frozen at once; frozen, or quiet between two writes; quiet.
    const auto [patience, pause] = GENERATE(table<std::chrono::milliseconds, std::chrono::milliseconds>(
        {{0ms, 1ms}, {300ms, 1ms}, {10000ms, 20ms}}));
    INFO("patience " << patience.count() << " ms, pause " << pause.count() << " ms");
    Disk disk;
    disk.write("a", "000000", true);
    disk.write("b", "000000", true);
    // Fixed places, each write on the disk before the next: at every moment a == b or a == b + 1.
    Fd a(::openat(disk.root.get(), "a", O_WRONLY | O_CLOEXEC)),
        b(::openat(disk.root.get(), "b", O_WRONLY | O_CLOEXEC));
    std::atomic<int> n{0};
    Background counter([&, pause = pause] {
        char text[16];
        std::snprintf(text, sizeof text, "%06d", n + 1);
        for (const Fd* fd : {&a, &b})
            if (::pwrite(fd->get(), text, 6, 0) != 6 || ::fdatasync(fd->get()) != 0) std::abort();
        ++n;
        std::this_thread::sleep_for(pause);
    });
    Background churn([&, pause = pause, i = 0]() mutable {
        disk.write("f" + std::to_string(i++ % 50), std::string(20000, 'x'), false);
        std::this_thread::sleep_for(pause);
    });
    for (int i = 0; i < 5; ++i) {
        const int before = n;
        const LiveCopy copy = disk.copy("copy.raw", {patience, 20s});
        const int after = n + 1;
        if (patience == 0ms) CHECK(copy.how != LiveCopy::How::quiet);
        const int in_a = std::stoi(disk.settled("copy.raw", "/a")),
                  in_b = std::stoi(disk.settled("copy.raw", "/b"));
        INFO(copy.text() << ": a " << in_a << ", b " << in_b << ", between " << before << " and " << after);
        CHECK((in_a == in_b || in_a == in_b + 1));
        CHECK(in_b >= before);
        CHECK(in_a <= after);
    }
}

TEST_CASE("another disk's mount is not taken for this one's") {
    if (!is_root()) return;
    Disk disk, other;
    Fd to(::open((disk / "copy.raw").c_str(), O_RDWR | O_CREAT | O_CLOEXEC, 0600));
    CHECK_THROWS_WITH(copy_live(disk.file.get(), other.root.get(), to.get(), {}),
                      Contains("in the place of this guest's disk"));
}

TEST_CASE("a frozen file system is thawed, and tells how long it was still") {
    if (!is_root()) return;
    Disk disk;
    {
        Freeze freeze(disk.root.get(), 5s);
        CHECK_FALSE(can_write(disk, 100ms));
        CHECK(freeze.thaw() >= 100ms);
    }
    CHECK(can_write(disk, 5s));
    { Freeze freeze(disk.root.get(), 5s); }  // left without thaw()
    CHECK(can_write(disk, 5s));
}

TEST_CASE("a freeze that lasts too long is ended, and what was read is not trusted") {
    if (!is_root()) return;
    Disk disk;
    Freeze freeze(disk.root.get(), 100ms);
    CHECK(can_write(disk, 10s));
    CHECK_THROWS_WITH(freeze.thaw(), Contains("blocked for more than 100ms"));
    CHECK(can_write(disk, 5s));
}

TEST_CASE("a file system that somebody else has frozen is left frozen") {
    if (!is_root()) return;
    Disk disk;
    REQUIRE(::ioctl(disk.root.get(), FIFREEZE, 0) == 0);
    try {
        Freeze freeze(disk.root.get(), 1s);
        FAIL("frozen twice");
    } catch (const Error& e) {
        CHECK(e.kind() == ErrorKind::busy);
    }
    CHECK(::ioctl(disk.root.get(), FITHAW, 0) == 0);
}

TEST_CASE("the file system of a run that is killed while it is frozen is thawed") {
    if (!is_root()) return;
    Disk disk;
    for (int signal : {SIGKILL, SIGTERM, SIGINT}) {
        int ready[2];
        REQUIRE(::pipe(ready) == 0);
        pid_t child = ::fork();
        if (child == 0) {
            ::setpgid(0, 0);
            for (int end : {SIGTERM, SIGINT}) ::signal(end, SIG_DFL);  // Catch's own would tell of them
            Freeze freeze(disk.root.get(), 1h);
            (void)!::write(ready[1], "x", 1);
            ::pause();
        }
        char byte;
        REQUIRE(::read(ready[0], &byte, 1) == 1);
        CHECK_FALSE(can_write(disk, 50ms));
        ::kill(-child, signal);  // as a terminal's ^C: all of its group
        ::waitpid(child, nullptr, 0);
        CHECK(can_write(disk, 5s));
        ::close(ready[0]);
        ::close(ready[1]);
    }
}

TEST_CASE("differences are told to the page, and zeros above a hole are none") {
    TempDir dir;
    auto make = [&](const std::string& name) {
        return Fd(::open((dir / name).c_str(), O_RDWR | O_CREAT | O_CLOEXEC, 0600));
    };
    Fd from = make("from"), to = make("to");
    constexpr std::uint64_t size = (10 << 20) + 100;
    REQUIRE(::ftruncate(from.get(), size) == 0);
    REQUIRE(::ftruncate(to.get(), size) == 0);
    write_at(from.get(), 5000, "a");
    write_at(from.get(), (1 << 20) - 1, "bb");                 // across two pages
    write_at(from.get(), 3 << 20, std::string(100000, '\0'));  // data, and nothing in it
    write_at(from.get(), size - 1, "e");
    write_at(to.get(), 5 << 20, "old");  // where the original has a hole
    std::vector<std::pair<std::uint64_t, std::size_t>> told;
    auto bring = [&](std::uint64_t at, std::string_view bytes) {
        told.emplace_back(at, bytes.size());
        write_at(to.get(), at, bytes);
    };
    differences(from.get(), to.get(), size, bring);
    CHECK(told == std::vector<std::pair<std::uint64_t, std::size_t>>{
                      {4096, 4096}, {(1 << 20) - 4096, 8192}, {5 << 20, 4096}, {10 << 20, 100}});
    told.clear();
    differences(from.get(), to.get(), size, bring);
    CHECK(told.empty());
    CHECK(run({"cmp", dir / "from", dir / "to"}).status == 0);
    struct stat st {};
    REQUIRE(::fstat(to.get(), &st) == 0);
    CHECK(st.st_blocks * 512 <= 6 * 4096);

    Fd copy = make("copy");
    copy_disk(from.get(), copy.get());
    CHECK(run({"cmp", dir / "from", dir / "copy"}).status == 0);
}
