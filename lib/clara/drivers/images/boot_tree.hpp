// What a tree needs beyond a container's to start as a machine of its own.
#pragma once
#include <string>
#include <vector>

#include "clara/drivers/images/tree.hpp"
#include "clara/spec/image.hpp"

namespace clara {

/// Kernel, initramfs and modules where the tree has no kernel of its own, GRUB's menu, /etc/fstab; with init
/// clara the program itself. Returns what went in. `scratch` is an empty folder of ours.
std::vector<std::string> fit_for_machine(Tree& tree, const ImageRecipe& recipe, const std::string& root_uuid,
                                         const std::string& cache_dir, const std::string& scratch);

}  // namespace clara
