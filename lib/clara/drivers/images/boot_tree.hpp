// What a tree needs beyond a container's to start as a machine of its own.
#pragma once
#include <string>
#include <vector>

#include "clara/drivers/images/tree.hpp"

namespace clara {

struct BootWishes {
    std::string init;       ///< clara | system
    std::string kernel;     ///< Debian package, taken where the tree has no kernel of its own
    std::string root_uuid;  ///< of the file system that the tree will be
};

/// Kernel, initramfs and modules, GRUB's menu, /etc/fstab; with init clara the program itself. Returns what
/// went in. `scratch` is a folder of ours.
std::vector<std::string> fit_for_machine(Tree& tree, const BootWishes& wishes, const std::string& cache_dir,
                                         const std::string& scratch);

}  // namespace clara
