#include <fcntl.h>
#include <sched.h>
#include <sys/mount.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cerrno>

#include "catch.hpp"
#include "clara/base/probe_path.hpp"
#include "temp_dir.hpp"

using namespace clara;
using namespace std::chrono_literals;

TEST_CASE("a path is there or not") {
    TempDir dir;
    CHECK(probe_path(dir.path(), 5s) == PathState::ok);
    CHECK(probe_path(dir / "none", 5s) == PathState::absent);
}

TEST_CASE("errors of a broken mount are told from absence") {
    CHECK(probe_path("/", 5s, [](const char*) { return ESTALE; }) == PathState::stale);
    CHECK(probe_path("/", 5s, [](const char*) { return ENOTCONN; }) == PathState::stale);
    CHECK(probe_path("/", 5s, [](const char*) { return ENOTDIR; }) == PathState::absent);
}

TEST_CASE("a look that never returns is given up") {
    CHECK(probe_path("/", 20ms, [](const char*) { return ::pause(); }) == PathState::hung);
}

// A FUSE file system whose server never answers: the kernel's own way to hang.
TEST_CASE("a hung mount is given up") {
    if (::geteuid() != 0) {
        WARN("needs root: not run");
        return;
    }
    TempDir dir;
    pid_t child = ::fork();
    if (child == 0) {
        int fuse = ::open("/dev/fuse", O_RDWR | O_CLOEXEC);
        std::string options =
            "fd=" + std::to_string(fuse) + ",rootmode=40000,user_id=0,group_id=0,allow_other";
        if (fuse < 0 || ::unshare(CLONE_NEWNS) != 0 ||
            ::mount("none", "/", nullptr, MS_REC | MS_PRIVATE, nullptr) != 0 ||
            ::mount("clara-test", dir.path().c_str(), "fuse", 0, options.c_str()) != 0)
            ::_exit(77);
        PathState state = probe_path(dir / "x", 50ms);
        ::umount2(dir.path().c_str(), MNT_DETACH);
        ::_exit(state == PathState::hung ? 0 : 1);
    }
    int status = 0;
    ::waitpid(child, &status, 0);
    if (WEXITSTATUS(status) == 77) WARN("no FUSE here: not run");
    CHECK((WEXITSTATUS(status) == 0 || WEXITSTATUS(status) == 77));
}
