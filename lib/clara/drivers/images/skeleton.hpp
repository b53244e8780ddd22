#pragma once
#include <string>

#include "clara/drivers/images/tree.hpp"

namespace clara {

/// The folders and users a root file system begins with; /bin, /sbin and /lib are links into /usr as in
/// Debian.
void add_skeleton(Tree& tree);

/// What clara-init needs in any tree: its own mount point, the users sshd and ioc, places to mount and to
/// log.
void fit_for_clara_init(Tree& tree);

/// "system" where the tree has an init of its own (systemd, sysvinit), else "clara".
std::string detect_init(const Tree& tree);

}  // namespace clara
