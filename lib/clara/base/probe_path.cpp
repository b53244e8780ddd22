#include "clara/base/probe_path.hpp"

#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <sys/stat.h>
#include <sys/statfs.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cerrno>

#include "clara/base/error.hpp"

namespace clara {
namespace {

using std::chrono::milliseconds;
using std::chrono::steady_clock;

constexpr milliseconds kill_grace{50};  // a child that can be killed is gone long before

bool ends_within(int pidfd, milliseconds wait) {
    auto deadline = steady_clock::now() + wait;
    for (;;) {
        auto left = std::chrono::ceil<milliseconds>(deadline - steady_clock::now()).count();
        pollfd one{pidfd, POLLIN, 0};
        int ready = ::poll(&one, 1, left > 0 ? static_cast<int>(left) : 0);
        if (ready > 0) return true;
        if (ready == 0) return false;
        if (errno != EINTR) throw system_error("cannot wait for a child", errno);
    }
}

PathState state_of(int errnum) {
    switch (errnum) {
        case 0:
            return PathState::ok;
        case ESTALE:
        case EIO:
        case ENOTCONN:  // a FUSE file system whose server died
        case EHOSTDOWN:
        case ETIMEDOUT:
            return PathState::stale;
        default:
            return PathState::absent;
    }
}

}  // namespace

int look_at_path(const char* path) {
    struct statx st {};
    struct statfs fs {};
    if (::statx(AT_FDCWD, path, AT_STATX_FORCE_SYNC, STATX_TYPE, &st) != 0) return errno;
    return ::statfs(path, &fs) == 0 ? 0 : errno;
}

PathProbe::PathProbe(const std::string& path, PathLook look) : pid_(::fork()) {
    if (pid_ < 0) throw system_error("cannot fork", errno);
    if (pid_ == 0) {
        // Abandoned, it must hold neither our locks nor the pipe somebody reads our output from.
        ::close_range(0, ~0U, 0);
        ::_exit(look(path.c_str()));
    }
    child_.reset(static_cast<int>(::syscall(SYS_pidfd_open, pid_, 0)));
    if (!child_) throw system_error("cannot open a child", errno);
}

PathProbe::~PathProbe() {
    if (pid_ < 0) return;
    ::kill(pid_, SIGKILL);
    pollfd end{child_.get(), POLLIN, 0};
    if (::poll(&end, 1, static_cast<int>(kill_grace.count())) == 1) ::waitpid(pid_, nullptr, 0);
}

std::optional<PathState> PathProbe::answer(milliseconds wait) {
    if (!ends_within(child_.get(), wait)) return std::nullopt;
    int status = 0;
    while (::waitpid(pid_, &status, 0) < 0)
        if (errno != EINTR) throw system_error("cannot wait for a child", errno);
    pid_ = -1;
    return state_of(WIFEXITED(status) ? WEXITSTATUS(status) : EIO);
}

PathState probe_path(const std::string& path, milliseconds deadline, PathLook look) {
    return PathProbe(path, look).answer(deadline).value_or(PathState::hung);
}

}  // namespace clara
