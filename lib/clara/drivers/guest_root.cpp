#include "clara/drivers/guest_root.hpp"

#include <fcntl.h>
#include <sys/stat.h>

#include <cerrno>

#include "clara/base/error.hpp"
#include "clara/base/files.hpp"
#include "clara/base/in_root.hpp"

namespace clara {

GuestRoot::GuestRoot(int init_pid)
    : process_(open_dir("/proc/" + std::to_string(init_pid))), name_(std::to_string(init_pid)) {}

bool GuestRoot::alive() const {
    return static_cast<bool>(Fd(::openat(process_.get(), "root", O_PATH | O_CLOEXEC)));
}

Fd GuestRoot::open(const std::string& path, int flags) const {
    Fd root(::openat(process_.get(), "root", O_PATH | O_DIRECTORY | O_CLOEXEC));
    if (!root) throw system_error("cannot enter the guest (its init is process " + name_ + ")", errno);
    Fd fd = open_in_root(root.get(), path, flags);
    if (!fd) throw system_error("cannot open " + path + " in the guest", errno);
    return fd;
}

std::optional<Fd> GuestRoot::open_file(const std::string& path) const {
    Fd root(::openat(process_.get(), "root", O_PATH | O_DIRECTORY | O_CLOEXEC));
    if (!root) throw system_error("cannot enter the guest (its init is process " + name_ + ")", errno);
    Fd fd = open_in_root(root.get(), path, O_RDONLY | O_NONBLOCK | O_NOCTTY);  // a FIFO shall not hold us up
    if (!fd && errno == ENOENT) return std::nullopt;
    if (!fd) throw system_error("cannot open " + path + " in the guest", errno);
    struct stat st {};
    if (::fstat(fd.get(), &st) != 0) throw system_error("cannot examine " + path + " in the guest", errno);
    if (!S_ISREG(st.st_mode)) throw Error(ErrorKind::refused, path + " in the guest is not a regular file");
    return fd;
}

}  // namespace clara
