#include "clara/drivers/lxc/idmap.hpp"

#include <fcntl.h>
#include <fmt/format.h>
#include <sched.h>
#include <signal.h>
#include <sys/mount.h>
#include <sys/syscall.h>
#include <sys/wait.h>

#include <cerrno>

#include "clara/base/error.hpp"
#include "clara/base/files.hpp"

namespace clara {
namespace {

/// A process in a user namespace of its own, which exists as long as the process or a descriptor of it.
class Sleeper {
  public:
    Sleeper() {
        // As fork(2): no stack is given, so the child goes on here.
        pid_ = static_cast<pid_t>(
            ::syscall(SYS_clone, CLONE_NEWUSER | SIGCHLD, nullptr, nullptr, nullptr, nullptr));
        if (pid_ < 0) throw system_error("cannot make a user namespace", errno);
        if (pid_ == 0)
            for (;;) ::pause();
    }
    Sleeper(const Sleeper&) = delete;
    Sleeper& operator=(const Sleeper&) = delete;
    ~Sleeper() {
        ::kill(pid_, SIGKILL);
        while (::waitpid(pid_, nullptr, 0) < 0 && errno == EINTR) {
        }
    }
    std::string file(const char* name) const { return fmt::format("/proc/{}/{}", pid_, name); }

  private:
    pid_t pid_;
};

/// A user `inside` + n of it is `outside` + n on the host.
Fd user_namespace(unsigned inside, unsigned outside, unsigned count) {
    Sleeper sleeper;
    for (const char* map : {"uid_map", "gid_map"}) {
        Fd file(::open(sleeper.file(map).c_str(), O_WRONLY | O_CLOEXEC));
        if (!file) throw system_error("cannot open the id map", errno);
        write_all(file.get(), fmt::format("{} {} {}\n", inside, outside, count));
    }
    Fd space(::open(sleeper.file("ns/user").c_str(), O_RDONLY | O_CLOEXEC));
    if (!space) throw system_error("cannot open a user namespace", errno);
    return space;
}

void map_ids(int mount, const Fd& space, const std::string& what) {
    mount_attr attributes{};
    attributes.attr_set = MOUNT_ATTR_IDMAP;
    attributes.userns_fd = static_cast<__u64>(space.get());
    if (::mount_setattr(mount, "", AT_EMPTY_PATH, &attributes, sizeof attributes) != 0)
        throw system_error("cannot map the ids of " + what, errno);
}

}  // namespace

Fd idmapped_clone(const std::string& path, unsigned base, unsigned count) {
    Fd tree(::open_tree(AT_FDCWD, path.c_str(), OPEN_TREE_CLONE | OPEN_TREE_CLOEXEC));
    if (!tree) throw system_error("cannot copy the mount " + path, errno);
    map_ids(tree.get(), user_namespace(0, base, count), path);
    return tree;
}

void unmap_ids(int mount, unsigned base, unsigned count) {
    map_ids(mount, user_namespace(base, 0, count), "a disk");
}

}  // namespace clara
