#include "clara/cli/supervise.hpp"

#include <poll.h>
#include <signal.h>
#include <sys/prctl.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <cstdio>
#include <optional>

#include "clara/base/error.hpp"
#include "clara/base/handle.hpp"
#include "clara/base/interrupt.hpp"
#include "clara/base/let_go.hpp"
#include "clara/base/probe_path.hpp"
#include "clara/base/stall.hpp"
#include "clara/base/units.hpp"

namespace clara {
namespace {

using namespace std::chrono_literals;
using std::chrono::milliseconds;
using std::chrono::steady_clock;

constexpr milliseconds look = 100ms;
constexpr milliseconds between_probes = 5s;
constexpr milliseconds let_go_limit = 500ms;
constexpr milliseconds death = 500ms;  // facts: SIGKILL frees a call to NFS within 1 ms, one to FUSE never

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

/// Sees that the store answers nobody, from calls of the child's own and from looks at it.
class Watch {
  public:
    explicit Watch(const Supervision& how) : how_(how), pause_(std::min(between_probes, how.limit / 2)) {}

    /// What takes too long; nullopt: all is well so far.
    std::optional<std::string> stalled() {
        if (auto what = clara::stalled(how_.limit)) return what;
        if (!in_stall_region()) {
            probe_.reset();
            return std::nullopt;
        }
        const auto now = steady_clock::now();
        if (!probe_ && now - last_ >= pause_) {
            probe_.emplace(how_.store);
            last_ = now;
        } else if (probe_ && probe_->answer(0ms)) {
            probe_.reset();
        }
        if (probe_ && now - last_ >= how_.limit) return "looking at the store";
        return std::nullopt;
    }

  private:
    const Supervision& how_;
    milliseconds pause_;
    std::optional<PathProbe> probe_;
    steady_clock::time_point last_;
};

[[noreturn]] void leave_behind(const Supervision& how, pid_t child, int pidfd, LetGo& hold,
                               const std::string& what) {
    hold.ask();
    if (!ended_within(pidfd, let_go_limit)) ::kill(child, SIGKILL);
    const bool dead = ended_within(pidfd, death);
    std::string trouble;
    if (dead) ::waitpid(child, nullptr, 0);
    if (how.after_hang) try {
            how.after_hang();
        } catch (const Error& e) {
            trouble = "; " + e.message();
        }
    throw Error(ErrorKind::unreachable,
                how.store + " does not answer within " + duration_text(how.limit) + " (" + what + ")" +
                    (dead ? "" : ", and process " + std::to_string(child) + " hangs in it") + trouble,
                "see whether it is mounted and its server is up; the next run clears up and goes on");
}

}  // namespace

int supervised(const Supervision& how, const std::function<int()>& work) {
    watch_stalls();
    LetGo hold(how.store);
    const pid_t parent = ::getpid();
    const pid_t child = ::fork();
    if (child < 0) throw system_error("cannot fork", errno);
    if (child == 0) {
        ::prctl(PR_SET_PDEATHSIG, SIGTERM);
        if (::getppid() != parent) ::_exit(static_cast<int>(ErrorKind::terminated));
        hold.in_child();
        return work();  // the rest of main() is the child's as well, and says what went wrong
    }
    const Fd pidfd(static_cast<int>(::syscall(SYS_pidfd_open, child, 0)));
    if (!pidfd) throw system_error("cannot watch the work", errno);
    Watch watch(how);
    int passed_on = 0;
    while (!ended_within(pidfd.get(), look)) {
        if (const int signal = interrupted(); signal != passed_on) {
            passed_on = signal;
            ::kill(child, signal);
        }
        if (const auto what = watch.stalled()) leave_behind(how, child, pidfd.get(), hold, *what);
    }
    return status_of(child);
}

}  // namespace clara
