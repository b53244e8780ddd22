#include "clara/base/lock.hpp"

#include <fcntl.h>

#include <cerrno>
#include <thread>

#include "clara/base/clock.hpp"
#include "clara/base/error.hpp"
#include "clara/base/files.hpp"
#include "clara/base/interrupt.hpp"
#include "clara/base/log.hpp"

namespace clara {
namespace {

constexpr std::size_t holder_limit = 4096;  // bytes of holder text we care to read

struct flock whole_file() {
    struct flock lock {};  // l_pid must be 0 for OFD locks
    lock.l_type = F_WRLCK;
    lock.l_whence = SEEK_SET;
    return lock;
}

std::string self(const std::string& what) {
    char host[256] = {};
    ::gethostname(host, sizeof host - 1);
    return what + ", pid " + std::to_string(::getpid()) + " on " + host + ", since " +
           iso8601(system_clock()());
}

std::string holder_text(int fd) {
    std::string text(holder_limit, '\0');
    ssize_t got = ::pread(fd, text.data(), text.size(), 0);
    text.resize(got > 0 ? static_cast<std::size_t>(got) : 0);
    while (!text.empty() && text.back() == '\n') text.pop_back();
    return text.empty() ? "another process" : text;
}

}  // namespace

bool try_lock(int fd) {
    struct flock lock = whole_file();
    if (::fcntl(fd, F_OFD_SETLK, &lock) == 0) return true;
    if (errno == EAGAIN || errno == EACCES) return false;
    throw system_error("cannot lock", errno);
}

bool try_lock_for(int fd, std::chrono::milliseconds wait) {
    using namespace std::chrono;
    auto deadline = steady_clock::now() + wait;
    int before = interrupted();
    for (auto pause = 1ms;; pause = std::min(2 * pause, 4ms)) {
        if (try_lock(fd)) return true;
        auto left = deadline - steady_clock::now();
        if (left <= 0ns) return false;
        std::this_thread::sleep_for(std::min<nanoseconds>(pause, left));
        if (interrupted() != before) throw_if_interrupted();
    }
}

bool is_locked(int fd) {
    struct flock lock = whole_file();
    if (::fcntl(fd, F_OFD_GETLK, &lock) != 0) throw system_error("cannot examine lock", errno);
    return lock.l_type != F_UNLCK;
}

NamedLock NamedLock::take(const std::string& path, const std::string& what, std::chrono::milliseconds wait) {
    Fd fd(::open(path.c_str(), O_RDWR | O_CREAT | O_NOFOLLOW | O_CLOEXEC, 0644));
    if (!fd) throw system_error("cannot open lock " + path, errno);
    if (!try_lock_for(fd.get(), wait))
        throw Error(ErrorKind::busy, "busy: held by " + holder_text(fd.get()),
                    "wait for it to end, or give --lock-wait more time");
    try {
        if (::ftruncate(fd.get(), 0) != 0) throw system_error("cannot empty it", errno);
        write_all(fd.get(), self(what) + "\n");
    } catch (const Error& e) {  // a full disk: the lock holds, only others are not told by whom
        log::debug("{} does not name its holder: {}", path, e.message());
    }
    return NamedLock(std::move(fd));
}

NamedLock::~NamedLock() {
    if (!fd_) return;
    struct flock lock = whole_file();
    lock.l_type = F_UNLCK;
    if (::fcntl(fd_.get(), F_OFD_SETLK, &lock) != 0) log::debug("a lock is given back by closing it alone");
}

std::optional<std::string> NamedLock::holder(const std::string& path) {
    Fd fd(::open(path.c_str(), O_RDONLY | O_NOFOLLOW | O_CLOEXEC));
    if (!fd) {
        if (errno == ENOENT) return std::nullopt;
        throw system_error("cannot open lock " + path, errno);
    }
    if (!is_locked(fd.get())) return std::nullopt;
    return holder_text(fd.get());
}

}  // namespace clara
