#include "clara/drivers/storage/mount.hpp"

#include <fcntl.h>
#include <sys/stat.h>
#include <sys/sysmacros.h>
#include <sys/wait.h>

#include <fstream>
#include <thread>

#include "catch.hpp"
#include "clara/base/error.hpp"
#include "clara/base/files.hpp"
#include "clara/base/lock.hpp"
#include "clara/base/process.hpp"
#include "temp_dir.hpp"

using namespace clara;
using namespace std::chrono_literals;

namespace {

bool may_mount() {
    if (::geteuid() == 0) return true;
    WARN("needs root: not run");
    return false;
}

/// A folder with disk.raw, an ext4 file system.
struct DiskDir : TempDir {
    Fd fd;
    DiskDir() {
        run_ok({"truncate", "-s", "64M", *this / "disk.raw"});
        run_ok({"mkfs.ext4", "-q", "-F", *this / "disk.raw"});
        fd = open_dir(path());
    }
};

Fd mount_disk(int dir) {
    Fd file = open_disk(dir, "disk.raw", 2s);
    Loop loop = attach_loop(file.get(), LoopMode::read_write);
    return new_mount("ext4", loop.path, {{"noload", ""}});
}

bool mounted_anywhere(const std::string& word) {
    std::ifstream mounts("/proc/self/mountinfo");
    for (std::string line; std::getline(mounts, line);)
        if (line.find(word) != std::string::npos) return true;
    return false;
}

}  // namespace

TEST_CASE("a detached mount is written through its descriptor and seen by nobody") {
    if (!may_mount()) return;
    DiskDir dir;
    {
        Fd mount = mount_disk(dir.fd.get());
        write_file_at(open_dir_at(mount.get(), ".").get(), "hello", "text");
        struct stat st {};
        REQUIRE(::fstat(mount.get(), &st) == 0);
        CHECK_FALSE(mounted_anywhere(std::to_string(major(st.st_dev)) + ":" +
                                     std::to_string(minor(st.st_dev)) + " "));
    }
    Fd again = mount_disk(dir.fd.get());
    CHECK(read_file_at(again.get(), "hello") == "text");
}

TEST_CASE("the disk's lock lasts as long as its mount, not as the one who took it") {
    if (!may_mount()) return;
    DiskDir dir;
    Fd mount = mount_disk(dir.fd.get());
    CHECK_THROWS_WITH(open_disk(dir.fd.get()), "disk.raw is in use");
    mount.reset();
    CHECK_NOTHROW(open_disk(dir.fd.get(), "disk.raw", 2s));
}

TEST_CASE("a killed process leaves no mount, no loop device and no lock") {
    if (!may_mount()) return;
    DiskDir dir;
    int ready[2];
    REQUIRE(::pipe(ready) == 0);
    pid_t child = ::fork();
    if (child == 0) {
        Fd mount = mount_disk(dir.fd.get());
        (void)!::write(ready[1], "x", 1);
        ::pause();
    }
    char byte;
    REQUIRE(::read(ready[0], &byte, 1) == 1);
    CHECK_THROWS_AS(open_disk(dir.fd.get()), Error);
    ::kill(child, SIGKILL);
    ::waitpid(child, nullptr, 0);
    CHECK_NOTHROW(open_disk(dir.fd.get(), "disk.raw", 2s));
    ::close(ready[0]);
    ::close(ready[1]);
}

TEST_CASE("many may ask for a loop device at once") {
    if (!may_mount()) return;
    TempDir dir;
    run_ok({"truncate", "-s", "1M", dir / "file"});
    std::vector<pid_t> children;
    for (int i = 0; i < 16; ++i) {
        pid_t child = ::fork();
        if (child == 0) {
            Fd file(::open((dir / "file").c_str(), O_RDONLY | O_CLOEXEC));
            try {
                Loop loop = attach_loop(file.get(), LoopMode::read_only);
                ::_exit(0);
            } catch (const Error&) {
                ::_exit(1);
            }
        }
        children.push_back(child);
    }
    for (pid_t child : children) {
        int status = 0;
        ::waitpid(child, &status, 0);
        CHECK(status == 0);
    }
}

TEST_CASE("a mount that others look at is unmounted all the same") {
    if (!may_mount()) return;
    TempDir dir;
    const std::string target = dir / "mnt";
    make_dirs(target);
    // A look holds the mount for a moment, in which umount(2) says EBUSY.
    std::jthread looker([&](std::stop_token over) {
        while (!over.stop_requested()) is_mount_point(target);
    });
    for (int round = 0; round < 500; ++round) {
        attach_mount(new_mount("tmpfs", "clara", {}).get(), target);
        REQUIRE_NOTHROW(unmount(target));
    }
    CHECK_FALSE(is_mount_point(target));
}

TEST_CASE("a mount that is in use stays, and says so") {
    if (!may_mount()) return;
    TempDir dir;
    const std::string target = dir / "mnt";
    make_dirs(target);
    attach_mount(new_mount("tmpfs", "clara", {}).get(), target);
    {
        Fd user = open_dir(target);
        CHECK_THROWS_WITH(unmount(target), Catch::Contains("busy"));
        CHECK(is_mount_point(target));
    }
    CHECK(unmount(target));
}

TEST_CASE("what the kernel dislikes is said in its words") {
    if (!may_mount()) return;
    DiskDir dir;
    Fd file = open_disk(dir.fd.get());
    Loop loop = attach_loop(file.get(), LoopMode::read_write);
    CHECK_THROWS_WITH(new_mount("ext4", loop.path, {{"frobnicate", ""}}),
                      Catch::Contains("option frobnicate") && Catch::Contains("ext4: Unknown parameter"));
    CHECK_THROWS_WITH(new_mount("no-such-fs", "", {}), Catch::Contains("no file system no-such-fs"));
}
