#include "clara/drivers/storage/freeze.hpp"

#include <fcntl.h>
#include <linux/fs.h>
#include <poll.h>
#include <signal.h>
#include <sys/ioctl.h>
#include <sys/socket.h>
#include <sys/wait.h>

#include <algorithm>
#include <cerrno>
#include <climits>

#include "clara/base/error.hpp"
#include "clara/base/units.hpp"

namespace clara {
namespace {

using std::chrono::milliseconds;
using std::chrono::steady_clock;

constexpr int again_ms = 2;  // from one try to thaw to the next
constexpr char begun = 'F', thawed = 'T', ready = 'R';

bool thaw_file_system(int mount) {
    return ::ioctl(mount, FITHAW, 0) == 0;
}

/// The keeper, after fork(2) from a process with threads: async-signal-safe calls only. Until `begun` there
/// is nothing to thaw; after `thawed` a freeze would be somebody else's. FITHAW says EINVAL while a freeze is
/// still coming into being, so it is tried again for as long as our parent lives.
[[noreturn]] void keep(int socket, int mount, int limit_ms) {
    ::setsid();
    for (int signal : {SIGINT, SIGTERM, SIGHUP, SIGQUIT, SIGPIPE}) ::signal(signal, SIG_IGN);
    if (::dup2(socket, 0) != 0 || ::dup2(mount, 1) != 1) ::_exit(2);
    // Neither our locks nor the pipe that somebody reads our output from.
    ::close_range(2, ~0U, 0);
    if (int score = ::open("/proc/self/oom_score_adj", O_WRONLY); score >= 0) {
        (void)!::write(score, "-1000", 5);  // without it we are only as safe as others
        ::close(score);
    }
    if (::write(0, &ready, 1) != 1) ::_exit(2);
    for (int wait = -1;;) {
        pollfd parent{0, POLLIN, 0};
        const int came = ::poll(&parent, 1, wait);
        if (came < 0) continue;
        if (came == 0) {
            thaw_file_system(1);
            wait = again_ms;
            continue;
        }
        char what = 0;
        const ssize_t got = ::read(0, &what, 1);
        if (got == 1 && what == begun) {
            wait = limit_ms;
        } else {
            if (got != 1 && wait >= 0) thaw_file_system(1);
            ::_exit(0);
        }
    }
}

}  // namespace

Freeze::Freeze(int mount, milliseconds limit) : mount_(mount), limit_(limit) {
    int ends[2];
    if (::socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, ends) != 0)
        throw system_error("cannot make a socket", errno);
    keeper_.reset(ends[0]);
    Fd theirs(ends[1]);
    pid_ = ::fork();
    if (pid_ < 0) throw system_error("cannot fork", errno);
    if (pid_ == 0) keep(theirs.get(), mount, static_cast<int>(std::min<long>(limit.count(), INT_MAX)));
    theirs.reset();
    try {
        char byte = 0;
        ssize_t got;
        while ((got = ::read(keeper_.get(), &byte, 1)) < 0 && errno == EINTR) {
        }
        if (got != 1 || byte != ready)
            throw Error(ErrorKind::failed, "who would thaw the disk did not start");
        if (::send(keeper_.get(), &begun, 1, MSG_NOSIGNAL) != 1)
            throw system_error("cannot speak with who would thaw the disk", errno);
        began_ = steady_clock::now();
        if (::ioctl(mount_, FIFREEZE, 0) != 0) {
            const int why = errno;
            (void)::send(keeper_.get(), &thawed, 1, MSG_NOSIGNAL);
            if (why == EBUSY)
                throw Error(
                    ErrorKind::busy, "its file system is frozen by somebody else",
                    "wait, or if nobody is at work: fsfreeze --unfreeze on its folder below /run/clara");
            throw system_error("cannot freeze its file system", why);
        }
        frozen_ = true;
    } catch (...) {
        end_keeper();
        throw;
    }
}

Freeze::~Freeze() {
    if (frozen_) thaw_file_system(mount_);
    if (frozen_) (void)::send(keeper_.get(), &thawed, 1, MSG_NOSIGNAL);
    end_keeper();
}

std::chrono::microseconds Freeze::thaw() {
    const bool ours = thaw_file_system(mount_);
    const int why = errno;
    const auto lasted = std::chrono::duration_cast<std::chrono::microseconds>(steady_clock::now() - began_);
    if (ours || why == EINVAL) frozen_ = false;
    if (!frozen_) (void)::send(keeper_.get(), &thawed, 1, MSG_NOSIGNAL);
    if (ours) return lasted;
    if (why != EINVAL) throw system_error("cannot thaw its file system", why);
    throw Error(ErrorKind::failed, "writes would have been blocked for more than " + duration_text(limit_),
                too_busy_hint);
}

void Freeze::end_keeper() {
    keeper_.reset();
    while (pid_ > 0 && ::waitpid(pid_, nullptr, 0) < 0 && errno == EINTR) {
    }
    pid_ = -1;
}

}  // namespace clara
