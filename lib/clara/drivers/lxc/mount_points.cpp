#include "clara/drivers/lxc/mount_points.hpp"

#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cerrno>

#include "clara/base/error.hpp"
#include "clara/base/files.hpp"
#include "clara/base/in_root.hpp"

namespace clara {
namespace {

Fd open_folder_in(int root, const std::string& path) {
    return open_in_root(root, path, O_RDONLY | O_DIRECTORY);
}

void give(int dir, const std::string& name, uid_t owner) {
    if (::fchownat(dir, name.c_str(), owner, owner, AT_SYMLINK_NOFOLLOW) != 0)
        throw system_error("cannot give " + name + " to the guest", errno);
}

void make_file(int root, std::string path, uid_t owner) {
    path.erase(path.find_last_not_of('/') + 1);
    Fd dir = open_folder_in(root, "/");
    if (!dir) throw system_error("cannot open the guest's root", errno);
    for (std::size_t from = 1, to; (to = path.find('/', from)) != std::string::npos; from = to + 1) {
        Fd next = open_folder_in(root, path.substr(0, to));
        if (!next && errno == ENOENT) {
            const std::string name = path.substr(from, to - from);
            if (::mkdirat(dir.get(), name.c_str(), 0755) != 0)
                throw system_error("cannot make " + path.substr(0, to) + " in the guest", errno);
            give(dir.get(), name, owner);
            next = open_folder_in(root, path.substr(0, to));
        }
        if (!next) throw system_error("cannot open " + path.substr(0, to) + " in the guest", errno);
        dir = std::move(next);
    }
    const std::string name = path.substr(path.rfind('/') + 1);
    if (exists_at(dir.get(), name)) return;
    Fd file(::openat(dir.get(), name.c_str(), O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0644));
    if (!file) throw system_error("cannot make " + path + " in the guest", errno);
    give(dir.get(), name, owner);
}

}  // namespace

void make_mount_points(const GuestSpec& spec, const std::string& rootfs, IdRange ids) {
    for (const auto& mount : spec.mounts) {
        struct stat st {};
        // An absent source is either optional, which LXC passes over, or LXC's error to tell.
        if (::stat(mount.host.c_str(), &st) != 0 || S_ISDIR(st.st_mode)) continue;
        make_file(open_dir(rootfs).get(), mount.guest, ids.base);
    }
}

}  // namespace clara
