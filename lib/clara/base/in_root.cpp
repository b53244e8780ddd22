#include "clara/base/in_root.hpp"

#include <fcntl.h>
#include <linux/openat2.h>
#include <sched.h>
#include <sys/syscall.h>

#include <cerrno>

namespace clara {
namespace {

constexpr int most_tries = 1000;

}  // namespace

Fd open_in_root(int root, const std::string& path, int flags) {
    open_how how{};
    how.flags = static_cast<std::uint64_t>(flags) | O_CLOEXEC;
    how.resolve = RESOLVE_IN_ROOT | RESOLVE_NO_MAGICLINKS;
    const char* name = path.empty() ? "." : path.c_str();
    // EAGAIN: something was renamed or mounted anywhere on this host while a ".." was looked at (openat2(2)).
    for (int tries = 0;; ++tries) {
        Fd opened(static_cast<int>(::syscall(SYS_openat2, root, name, &how, sizeof how)));
        if (opened || errno != EAGAIN || tries == most_tries) return opened;
        ::sched_yield();
    }
}

}  // namespace clara
