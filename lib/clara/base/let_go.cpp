#include "clara/base/let_go.hpp"

#include <dirent.h>
#include <fcntl.h>
#include <signal.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <cstdlib>
#include <fstream>
#include <thread>
#include <vector>

#include "clara/base/error.hpp"

namespace clara {
namespace {

std::vector<int> numbers_in(const char* folder) {
    std::vector<int> all;
    DIR* list = ::opendir(folder);
    if (!list) return all;
    while (const dirent* entry = ::readdir(list))
        if (entry->d_name[0] != '.') all.push_back(std::atoi(entry->d_name));
    ::closedir(list);
    std::sort(all.begin(), all.end());
    return all;
}

bool lies_on(const std::string& share, int fd) {
    char path[4096];
    const ssize_t length = ::readlink(("/proc/self/fd/" + std::to_string(fd)).c_str(), path, sizeof path);
    const std::string name(path, length > 0 ? static_cast<std::size_t>(length) : 0);
    return name == share || name.starts_with(share + "/");
}

/// Each runs in a process group of its own (base/process).
void kill_programs() {
    for (const int thread : numbers_in("/proc/self/task")) {
        std::ifstream children("/proc/self/task/" + std::to_string(thread) + "/children");
        for (pid_t child = 0; children >> child;) {
            ::kill(-child, SIGKILL);
            ::kill(child, SIGKILL);
        }
    }
}

/// Replaced in one step rather than closed: whoever still uses a number finds nothing, never another file.
/// What lies on the share is left alone, since closing it may hang as well.
void give_all_back(const std::string& share) {
    const int nothing = ::open("/dev/null", O_RDWR | O_CLOEXEC);
    for (const int fd : numbers_in("/proc/self/fd"))
        if (fd != nothing && !lies_on(share, fd)) ::dup3(nothing, fd, O_CLOEXEC);
}

}  // namespace

LetGo::LetGo(std::string share) : share_(std::move(share)) {
    int ends[2];
    if (::pipe2(ends, O_CLOEXEC) != 0) throw system_error("cannot make a pipe", errno);
    read_ = Fd(ends[0]);
    write_ = Fd(ends[1]);
}

void LetGo::in_child() {
    write_.reset();
    const int pipe = read_.get();
    if (pipe > 3) ::close_range(3, static_cast<unsigned>(pipe) - 1, 0);
    ::close_range(static_cast<unsigned>(pipe) + 1, ~0U, 0);
    sigset_t all, before;
    sigfillset(&all);
    ::pthread_sigmask(SIG_SETMASK, &all, &before);  // signals are for those who wait for something
    std::thread([pipe, share = share_] {
        char asked = 0;
        ssize_t got = 0;
        while ((got = ::read(pipe, &asked, 1)) < 0 && errno == EINTR) {
        }
        if (got != 1) return;  // the parent is gone, and the child ends in its own way
        kill_programs();
        give_all_back(share);
        ::kill(::getpid(), SIGKILL);
    }).detach();
    ::pthread_sigmask(SIG_SETMASK, &before, nullptr);
}

void LetGo::ask() {
    [[maybe_unused]] const auto written = ::write(write_.get(), "x", 1);
}

}  // namespace clara
