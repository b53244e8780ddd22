// Paths inside a folder that is a stranger's root: symbolic links in it lead nowhere outside.
#pragma once
#include <string>

#include "clara/base/handle.hpp"

namespace clara {

/// Opens `path` as in a chroot of the folder (openat2, RESOLVE_IN_ROOT). No descriptor, and errno, where that
/// fails. "" is the folder itself.
Fd open_in_root(int root, const std::string& path, int flags);

}  // namespace clara
