// Where LXC mounts a single file of the host, a file has to be; it makes folders by itself (create=dir).
#pragma once
#include <string>

#include "clara/drivers/lxc/rootfs.hpp"

namespace clara {

/// Makes an empty file in the mounted `rootfs` for each mount of the guest whose source is no folder. What is
/// there already stays; the guest's own links are followed inside of it only.
void make_mount_points(const GuestSpec& spec, const std::string& rootfs, IdRange ids);

}  // namespace clara
