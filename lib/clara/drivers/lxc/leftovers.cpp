#include "clara/drivers/lxc/leftovers.hpp"

#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cerrno>

#include "clara/base/files.hpp"
#include "clara/drivers/network/netlink.hpp"
#include "clara/ops/lxc_config.hpp"

namespace clara {
namespace {

bool is_dir_at(int dir, const std::string& name) {
    struct stat st {};
    return ::fstatat(dir, name.c_str(), &st, AT_SYMLINK_NOFOLLOW) == 0 && S_ISDIR(st.st_mode);
}

/// Groups are removed by rmdir alone, their files go with them.
void remove_group(int parent, const std::string& name) {
    if (!is_dir_at(parent, name)) return;
    {
        Fd group = open_dir_at(parent, name);
        for (const auto& entry : list_dir(group.get())) remove_group(group.get(), entry);
    }
    if (::unlinkat(parent, name.c_str(), AT_REMOVEDIR) != 0 && errno != EBUSY && errno != ENOENT)
        throw system_error("cannot remove the control group " + name, errno);
}

void remove_groups_in(int hierarchy, const std::string& name) {
    for (const char* part : {"lxc.payload.", "lxc.monitor."}) remove_group(hierarchy, part + name);
}

}  // namespace

void clear_groups(const std::string& name) {
    Fd root = open_dir("/sys/fs/cgroup");
    if (exists_at(root.get(), "cgroup.controllers")) return remove_groups_in(root.get(), name);
    for (const auto& hierarchy : list_dir(root.get()))  // e.g. memory, unified; links name some twice
        if (is_dir_at(root.get(), hierarchy))
            remove_groups_in(open_dir_at(root.get(), hierarchy).get(), name);
}

void clear_interface(const std::string& name) {
    const std::string interface = host_interface(name);
    if (!exists("/sys/class/net/" + interface)) return;
    NlSocket socket = open_netlink();
    Link link = find_link(socket.get(), interface);
    if (!link) return;
    int code = ::rtnl_link_delete(socket.get(), link.get());
    if (code < 0 && code != -NLE_NODEV && code != -NLE_OBJ_NOTFOUND)
        throw netlink_error("cannot remove the interface " + interface, code);
}

}  // namespace clara
