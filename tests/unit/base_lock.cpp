#include <fcntl.h>
#include <sys/wait.h>

#include "catch.hpp"
#include "clara/base/error.hpp"
#include "clara/base/lock.hpp"
#include "temp_dir.hpp"

using namespace clara;
using namespace std::chrono_literals;

namespace {
Fd open_rw(const std::string& path) {
    return Fd(::open(path.c_str(), O_RDWR | O_CREAT | O_CLOEXEC, 0600));
}
}  // namespace

TEST_CASE("one open file at a time has the lock") {
    TempDir dir;
    Fd a = open_rw(dir / "f");
    Fd b = open_rw(dir / "f");
    CHECK(try_lock(a.get()));
    CHECK(try_lock(a.get()));
    CHECK_FALSE(is_locked(a.get()));
    CHECK(is_locked(b.get()));
    CHECK_FALSE(try_lock(b.get()));
    CHECK_FALSE(try_lock_for(b.get(), 3ms));
    a.reset();
    CHECK_FALSE(is_locked(b.get()));
    CHECK(try_lock(b.get()));
}

TEST_CASE("the lock lives as long as any descriptor of that open file") {
    TempDir dir;
    Fd a = open_rw(dir / "f");
    Fd b = open_rw(dir / "f");
    REQUIRE(try_lock(a.get()));
    Fd twin(::dup(a.get()));
    a.reset();
    CHECK_FALSE(try_lock(b.get()));
    twin.reset();
    CHECK(try_lock(b.get()));
}

TEST_CASE("a named lock tells who holds it") {
    TempDir dir;
    std::string path = dir / "bpm01";
    CHECK_FALSE(NamedLock::holder(path));
    {
        NamedLock held = NamedLock::take(path, "clara-start", 0ms);
        std::string who = NamedLock::holder(path).value();
        CHECK(who.find("clara-start, pid " + std::to_string(::getpid()) + " on ") == 0);
        try {
            NamedLock::take(path, "clara-stop", 2ms);
            FAIL("taken twice");
        } catch (const Error& e) {
            CHECK(e.kind() == ErrorKind::busy);
            CHECK(e.message() == "busy: held by " + who);
        }
    }
    CHECK_FALSE(NamedLock::holder(path));
    CHECK_NOTHROW(NamedLock::take(path, "clara-stop", 0ms));
}

TEST_CASE("a killed holder frees its lock") {
    TempDir dir;
    std::string path = dir / "bpm01";
    int ready[2];
    REQUIRE(::pipe(ready) == 0);
    pid_t child = ::fork();
    if (child == 0) {
        NamedLock held = NamedLock::take(path, "clara-start", 0ms);
        (void)!::write(ready[1], "x", 1);
        ::pause();
        ::_exit(0);
    }
    char byte;
    REQUIRE(::read(ready[0], &byte, 1) == 1);
    CHECK(NamedLock::holder(path));
    ::kill(child, SIGKILL);
    ::waitpid(child, nullptr, 0);
    CHECK_FALSE(NamedLock::holder(path));
    ::close(ready[0]);
    ::close(ready[1]);
}

TEST_CASE("a named lock is free at once, whatever a child beside has inherited") {
    TempDir dir;
    const std::string path = dir / "bpm01";
    int ends[2];
    REQUIRE(::pipe(ends) == 0);
    pid_t child = 0;
    {
        NamedLock held = NamedLock::take(path, "clara-backup", 0ms);
        NamedLock moved = std::move(held);
        child = ::fork();
        REQUIRE(child >= 0);
        if (child == 0) {  // one that another thread has forked, and that has not come to its exec yet
            ::close(ends[1]);
            char end = 0;
            ::_exit(::read(ends[0], &end, 1) == 0 ? 0 : 1);
        }
    }
    CHECK_NOTHROW(NamedLock::take(path, "clara-backup", 0ms));
    ::close(ends[1]);
    int status = 0;
    CHECK(::waitpid(child, &status, 0) == child);
    CHECK(status == 0);
    ::close(ends[0]);
}
