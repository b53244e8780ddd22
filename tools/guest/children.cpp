#include "children.hpp"

#include <fcntl.h>
#include <grp.h>
#include <signal.h>
#include <sys/ioctl.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cerrno>
#include <cstdio>
#include <cstring>
#include <stdexcept>

namespace guest {
namespace {

[[noreturn]] void fail(int status, const char* what, const char* name) {
    ::dprintf(STDERR_FILENO, "clara-init: %s %s: %s\n", what, name, std::strerror(errno));
    ::_exit(status);
}

std::vector<char*> pointers(const std::vector<std::string>& words) {
    std::vector<char*> out;
    for (const auto& word : words) out.push_back(const_cast<char*>(word.c_str()));
    out.push_back(nullptr);
    return out;
}

void set_terminal(const char* path) {
    const int fd = ::open(path, O_RDWR | O_CLOEXEC);
    if (fd < 0 || ::ioctl(fd, TIOCSCTTY, 1) != 0) fail(126, "cannot use", path);
    for (int n = 0; n < 3; ++n) ::dup2(fd, n);
}

// Descriptors above 2 are all close-on-exec. Sources may be 0, 1 or 2 themselves, hence the copies first.
void set_stdio(const Start& start) {
    const int null = ::open("/dev/null", O_RDWR | O_CLOEXEC);
    int wanted[3] = {start.in, start.out, start.err < 0 ? start.out : start.err};
    for (int& fd : wanted) fd = ::fcntl(fd < 0 ? null : fd, F_DUPFD_CLOEXEC, 3);
    for (int n = 0; n < 3; ++n) ::dup2(wanted[n], n);
}

[[noreturn]] void become(const Start& start, char* const* argv, char* const* env) {
    sigset_t none;
    ::sigemptyset(&none);
    ::sigprocmask(SIG_SETMASK, &none, nullptr);
    ::signal(SIGPIPE, SIG_DFL);
    ::setsid();
    start.terminal.empty() ? set_stdio(start) : set_terminal(start.terminal.c_str());
    const Account& who = start.account;
    if (::setgroups(who.groups.size(), who.groups.data()) != 0 || ::setgid(who.gid) != 0 ||
        ::setuid(who.uid) != 0)
        fail(126, "cannot become the user of", argv[0]);
    if (::chdir(start.cwd.c_str()) != 0) fail(126, "cannot enter", start.cwd.c_str());
    ::execve(argv[0], argv, env);
    fail(127, "cannot run", argv[0]);
}

}  // namespace

pid_t Children::start(const Start& start, std::function<void(int)> ended) {
    auto argv = pointers(start.argv), env = pointers(start.env);
    const pid_t pid = ::fork();
    if (pid < 0) throw std::runtime_error("cannot fork: " + std::string(std::strerror(errno)));
    if (pid == 0) become(start, argv.data(), env.data());
    ended_[pid] = std::move(ended);
    return pid;
}

bool Children::reap() {
    int status;
    pid_t pid;
    while ((pid = ::waitpid(-1, &status, WNOHANG)) > 0) {
        auto at = ended_.find(pid);
        if (at == ended_.end()) continue;
        auto ended = std::move(at->second);
        ended_.erase(at);
        ended(status);
    }
    return pid == 0 || errno != ECHILD;
}

std::string tell_status(int status) {
    if (WIFSIGNALED(status)) return "was killed by signal " + std::to_string(WTERMSIG(status));
    return "ended with status " + std::to_string(WEXITSTATUS(status));
}

}  // namespace guest
