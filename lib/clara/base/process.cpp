#include "clara/base/process.hpp"

#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <spawn.h>
#include <sys/mman.h>
#include <sys/syscall.h>
#include <sys/wait.h>

#include <array>
#include <cerrno>
#include <limits>

#include "clara/base/error.hpp"
#include "clara/base/files.hpp"
#include "clara/base/handle.hpp"
#include "clara/base/interrupt.hpp"

extern char** environ;

namespace clara {
namespace {

using std::chrono::milliseconds;
using std::chrono::steady_clock;

constexpr milliseconds grace{5000};      // from SIGTERM after an interrupt to SIGKILL, from that to giving up
constexpr std::size_t piece = 64 << 10;  // bytes; what an ordinary pipe holds
constexpr int stream_pipe = 1 << 20;     // bytes, the most an ordinary user may ask for
constexpr long pieces_a_look = 64;       // then the deadline and interrupts are looked at again

struct Pipe {
    Fd read, write;
};

Pipe make_pipe() {
    int ends[2];
    if (::pipe2(ends, O_CLOEXEC) != 0) throw system_error("cannot make a pipe", errno);
    ::fcntl(ends[0], F_SETFL, O_NONBLOCK);
    return {Fd(ends[0]), Fd(ends[1])};
}

/// Standard input as a file in memory: nothing to feed while the program runs.
Fd input_file(const std::string& input) {
    Fd fd(input.empty() ? ::open("/dev/null", O_RDONLY | O_CLOEXEC) : ::memfd_create("input", MFD_CLOEXEC));
    if (!fd) throw system_error("cannot make standard input", errno);
    write_all(fd.get(), input);
    ::lseek(fd.get(), 0, SEEK_SET);
    return fd;
}

std::vector<std::string> environment(const std::vector<std::string>& extra) {
    auto key = [](const std::string& entry) { return entry.substr(0, entry.find('=') + 1); };
    std::vector<std::string> result = extra;
    for (char** entry = environ; *entry; ++entry) {
        std::string text = *entry;
        bool replaced = false;
        for (const auto& e : extra) replaced = replaced || key(e) == key(text);
        if (!replaced) result.push_back(std::move(text));
    }
    return result;
}

std::vector<char*> pointers(const std::vector<std::string>& strings) {
    std::vector<char*> result;
    for (const auto& s : strings) result.push_back(const_cast<char*>(s.c_str()));  // execve writes to none
    result.push_back(nullptr);
    return result;
}

/// In a process group of its own, so that a terminal's ^C reaches only us and a kill reaches its children
/// too.
pid_t spawn(const std::vector<std::string>& argv, const RunOptions& options, int in, int out, int err) {
    posix_spawn_file_actions_t files;
    posix_spawnattr_t attributes;
    ::posix_spawn_file_actions_init(&files);
    ::posix_spawnattr_init(&attributes);
    ::posix_spawn_file_actions_adddup2(&files, in, 0);
    ::posix_spawn_file_actions_adddup2(&files, out, 1);
    if (err >= 0) ::posix_spawn_file_actions_adddup2(&files, err, 2);
    if (!options.cwd.empty()) ::posix_spawn_file_actions_addchdir_np(&files, options.cwd.c_str());
    sigset_t none, all;
    sigemptyset(&none);
    sigfillset(&all);
    ::posix_spawnattr_setsigmask(&attributes, &none);
    ::posix_spawnattr_setsigdefault(&attributes, &all);
    ::posix_spawnattr_setflags(&attributes,
                               POSIX_SPAWN_SETSIGMASK | POSIX_SPAWN_SETSIGDEF | POSIX_SPAWN_SETPGROUP);
    auto env = environment(options.extra_env);
    pid_t pid = 0;
    int failed = ::posix_spawnp(&pid, argv[0].c_str(), &files, &attributes, pointers(argv).data(),
                                pointers(env).data());
    ::posix_spawn_file_actions_destroy(&files);
    ::posix_spawnattr_destroy(&attributes);
    if (failed) throw system_error("cannot start " + argv[0], failed);
    return pid;
}

int reap(pid_t pid) {
    int status = 0;
    while (::waitpid(pid, &status, 0) < 0)
        if (errno != EINTR) throw system_error("cannot wait for a program", errno);
    return WIFSIGNALED(status) ? 128 + WTERMSIG(status) : WEXITSTATUS(status);
}

using Taker = std::function<void(std::string_view)>;

/// Takes what is there, at most `pieces` of it; false at the end of the stream.
bool drain(int fd, const Taker& take, long pieces = std::numeric_limits<long>::max()) {
    std::array<char, piece> buffer;  // NOLINT: 64 KiB need no zeros
    while (pieces-- > 0) {
        ssize_t got = ::read(fd, buffer.data(), buffer.size());
        if (got < 0 && errno == EINTR) continue;
        if (got < 0 && errno == EAGAIN) return true;
        if (got <= 0) return false;
        take({buffer.data(), static_cast<std::size_t>(got)});
    }
    return true;
}

/// What is over the limit is read and dropped.
Taker keeper(std::string& into, std::size_t limit) {
    return [&into, limit](std::string_view text) {
        into.append(text.substr(0, limit - std::min(limit, into.size())));
    };
}

std::string last_lines(std::string text, int lines) {
    while (!text.empty() && text.back() == '\n') text.pop_back();
    std::size_t at = text.size();
    while (lines-- > 0 && at != std::string::npos && at > 0) at = text.rfind('\n', at - 1);
    return at == std::string::npos || at == 0 ? text : text.substr(at + 1);
}

}  // namespace

RunResult run(const std::vector<std::string>& argv, const RunOptions& options) {
    Fd in = input_file(options.input);
    Pipe out = make_pipe();
    Pipe err = make_pipe();
    if (options.on_output) ::fcntl(out.write.get(), F_SETPIPE_SZ, stream_pipe);  // smaller only costs time
    auto deadline = steady_clock::now() + options.timeout;
    const int before = interrupted();  // an undo runs programs after the signal that began it
    pid_t pid =
        spawn(argv, options, in.get(), out.write.get(), options.inherit_stderr ? -1 : err.write.get());
    out.write.reset();
    err.write.reset();
    Fd child(static_cast<int>(::syscall(SYS_pidfd_open, pid, 0)));
    if (!child) {
        int why = errno;
        ::kill(-pid, SIGKILL);
        reap(pid);
        throw system_error("cannot watch " + argv[0], why);
    }

    RunResult result;
    bool overrun = false, told = false;
    const Taker take_out = options.on_output ? options.on_output : keeper(result.out, options.output_limit);
    const Taker take_err = keeper(result.err, options.output_limit);
    std::array<pollfd, 3> waits{
        {{child.get(), POLLIN, 0}, {out.read.get(), POLLIN, 0}, {err.read.get(), POLLIN, 0}}};
    try {
        // The program's end counts, not that of its output: a daemon it left may keep that open.
        while (!(waits[0].revents & POLLIN)) {
            if (!told && interrupted() != before) {
                told = true;
                ::kill(-pid, SIGTERM);
                deadline = std::min(deadline, steady_clock::now() + grace);
            }
            if (steady_clock::now() >= deadline) {
                if (overrun) throw Error(ErrorKind::failed, argv[0] + " hangs and cannot be killed");
                overrun = true;
                ::kill(-pid, SIGKILL);
                deadline = steady_clock::now() + grace;
            }
            auto left = std::chrono::ceil<milliseconds>(deadline - steady_clock::now()).count();
            ::poll(waits.data(), waits.size(), static_cast<int>(std::min<long>(left, 1000)));
            if (waits[1].fd >= 0 && !drain(waits[1].fd, take_out, pieces_a_look)) waits[1].fd = -1;
            if (waits[2].fd >= 0 && !drain(waits[2].fd, take_err)) waits[2].fd = -1;
        }
        result.status = reap(pid);
    } catch (...) {
        if (overrun) throw;  // not to be waited for
        ::kill(-pid, SIGKILL);
        reap(pid);
        throw;
    }
    drain(out.read.get(), take_out);
    drain(err.read.get(), take_err);
    if (told) throw_if_interrupted();
    if (overrun)
        throw Error(ErrorKind::failed,
                    argv[0] + " did not end within " + std::to_string(options.timeout.count()) + " ms");
    return result;
}

std::string run_ok(const std::vector<std::string>& argv, const RunOptions& options) {
    RunResult result = run(argv, options);
    if (result.status == 0) return std::move(result.out);
    std::string why = last_lines(result.err, 5);
    throw Error(ErrorKind::failed, argv[0] + " failed with status " + std::to_string(result.status) +
                                       (why.empty() ? "" : ": " + why));
}

}  // namespace clara
