#include "clara/cli/supervise.hpp"

#include <poll.h>
#include <signal.h>
#include <sys/prctl.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cerrno>
#include <cstdio>

#include "clara/base/error.hpp"
#include "clara/base/handle.hpp"
#include "clara/base/interrupt.hpp"
#include "clara/base/stall.hpp"
#include "clara/base/units.hpp"

namespace clara {
namespace {

using std::chrono::milliseconds;

constexpr milliseconds look{100};
constexpr milliseconds death{1500};  // facts: SIGKILL frees a call to NFS within 1 ms, one to FUSE never

bool ended_within(int pidfd, milliseconds wait) {
    pollfd end{pidfd, POLLIN, 0};
    return ::poll(&end, 1, static_cast<int>(wait.count())) == 1;
}

int status_of(pid_t child) {
    int status = 0;
    while (::waitpid(child, &status, 0) < 0)
        if (errno != EINTR) throw system_error("cannot wait for the work", errno);
    if (WIFEXITED(status)) return WEXITSTATUS(status);
    throw Error(ErrorKind::failed, "the work was killed by signal " + std::to_string(WTERMSIG(status)),
                "run it again: what it has left is cleared up then");
}

}  // namespace

int supervised(const Supervision& how, const std::function<int()>& work) {
    watch_stalls();
    const pid_t parent = ::getpid();
    const pid_t child = ::fork();
    if (child < 0) throw system_error("cannot fork", errno);
    if (child == 0) {
        ::prctl(PR_SET_PDEATHSIG, SIGTERM);
        if (::getppid() != parent) ::_exit(static_cast<int>(ErrorKind::terminated));
        return work();  // the rest of main() is the child's as well, and says what went wrong
    }
    const Fd pidfd(static_cast<int>(::syscall(SYS_pidfd_open, child, 0)));
    if (!pidfd) throw system_error("cannot watch the work", errno);
    int passed_on = 0;
    while (!ended_within(pidfd.get(), look)) {
        if (const int signal = interrupted(); signal != passed_on) {
            passed_on = signal;
            ::kill(child, signal);
        }
        const auto what = stalled(how.limit);
        if (!what) continue;
        ::kill(child, SIGKILL);
        const bool dead = ended_within(pidfd.get(), death);
        std::string trouble;
        if (dead) ::waitpid(child, nullptr, 0);
        if (how.after_hang) try {
                how.after_hang();
            } catch (const Error& e) {
                trouble = "; " + e.message();
            }
        throw Error(ErrorKind::unreachable,
                    how.store + " does not answer within " + duration_text(how.limit) + " (" + *what + ")" +
                        (dead ? "" : ", and process " + std::to_string(child) + " hangs in it") + trouble,
                    "see whether it is mounted and its server is up; the next run clears up and goes on");
    }
    return status_of(child);
}

}  // namespace clara
