#include "clara/drivers/storage/ext4.hpp"

#include <signal.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include <set>

#include "catch.hpp"
#include "clara/base/error.hpp"
#include "clara/base/files.hpp"
#include "clara/base/process.hpp"
#include "temp_dir.hpp"

using namespace clara;

namespace {
constexpr std::uint64_t MiB = 1 << 20;

std::string uuid_of(const std::string& disk) {
    std::string out = run_ok({"/sbin/dumpe2fs", "-h", disk});
    auto at = out.find("Filesystem UUID:");
    REQUIRE(at != std::string::npos);
    return out.substr(at, out.find('\n', at) - at);
}

bool clean(const std::string& disk) {
    return run({"/sbin/e2fsck", "-fn", disk}).status == 0;
}

/// KiB the file takes on the host.
long taken(const std::string& path) {
    struct stat st {};
    REQUIRE(::stat(path.c_str(), &st) == 0);
    return st.st_blocks / 2;
}
}  // namespace

TEST_CASE("blank disks are clean, sparse, and each has its own UUID") {
    TempDir dir;
    Fd at = open_dir(dir.path());
    for (std::uint64_t size : {8 * MiB, 64 * MiB, 1024 * MiB, 5 * 1024 * MiB}) {
        INFO(size);
        std::set<std::string> uuids;
        for (const char* name : {"a", "b"}) {
            make_blank_disk(at.get(), name, size, dir / "cache");
            CHECK(clean(dir / name));
            uuids.insert(uuid_of(dir / name));
            struct stat st {};
            REQUIRE(::stat((dir / name).c_str(), &st) == 0);
            CHECK(static_cast<std::uint64_t>(st.st_size) == size);
            CHECK(taken(dir / name) <= 512);
            REQUIRE(::unlink((dir / name).c_str()) == 0);
        }
        uuids.insert(uuid_of(dir / ("cache/blank-" + std::to_string(size) + ".ext4")));
        CHECK(uuids.size() == 3);
    }
}

TEST_CASE("an existing disk is never overwritten") {
    TempDir dir;
    Fd at = open_dir(dir.path());
    write_file(dir / "disk.raw", "precious");
    CHECK_THROWS_AS(make_blank_disk(at.get(), "disk.raw", 16 * MiB, dir / "cache"), Error);
    CHECK(read_file(dir / "disk.raw") == "precious");
}

TEST_CASE("a disk too small for ext4 is refused before anything is made") {
    TempDir dir;
    Fd at = open_dir(dir.path());
    CHECK_THROWS_AS(make_blank_disk(at.get(), "disk.raw", 1 * MiB, dir / "cache"), Error);
    CHECK(list_dir(dir.path()).empty());
}

TEST_CASE("what a killed run left in the cache does no harm") {
    TempDir dir;
    Fd at = open_dir(dir.path());
    make_dirs(dir / "cache");
    write_file(dir / "cache/.blank-16777216.ext4.partial", std::string(100000, 'x'));
    write_file(dir / "cache/blank-16777216.ext4", "of another size");
    make_blank_disk(at.get(), "disk.raw", 16 * MiB, dir / "cache");
    CHECK(clean(dir / "disk.raw"));
    CHECK_FALSE(exists(dir / "cache/.blank-16777216.ext4.partial"));
}

TEST_CASE("the mke2fs of a killed run does not write into the next one's disk") {
    for (int moment = 0; moment < 80; ++moment) {
        TempDir dir;
        Fd at = open_dir(dir.path());
        pid_t child = ::fork();
        if (child == 0) {
            make_blank_disk(at.get(), "first", 64 * MiB, dir / "cache");
            ::_exit(0);
        }
        ::usleep(static_cast<useconds_t>(moment) * 150);  // mke2fs takes some 10 ms
        ::kill(child, SIGKILL);
        ::waitpid(child, nullptr, 0);
        make_blank_disk(at.get(), "second", 64 * MiB, dir / "cache");
        CHECK(clean(dir / "second"));
    }
}

TEST_CASE("several processes make disks at once") {
    TempDir dir;
    Fd at = open_dir(dir.path());
    std::vector<pid_t> children;
    for (int i = 0; i < 8; ++i) {
        pid_t child = ::fork();
        if (child == 0) {
            try {
                make_blank_disk(at.get(), "disk" + std::to_string(i), 16 * MiB, dir / "cache");
                ::_exit(0);
            } catch (const std::exception& e) {
                ::_exit(1);
            }
        }
        children.push_back(child);
    }
    for (pid_t child : children) {
        int status = -1;
        ::waitpid(child, &status, 0);
        CHECK(status == 0);
    }
    std::set<std::string> uuids;
    for (int i = 0; i < 8; ++i) {
        std::string disk = dir / ("disk" + std::to_string(i));
        CHECK(clean(disk));
        uuids.insert(uuid_of(disk));
    }
    CHECK(uuids.size() == 8);
}
