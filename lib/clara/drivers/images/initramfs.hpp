// The little system that finds a virtual machine's root file system: busybox, a dozen modules, a short
// script.
#pragma once
#include <string>
#include <vector>

#include "clara/drivers/images/kernel.hpp"

namespace clara {

/// Writes it, uncompressed (newc), as `file`. `scratch` is an empty folder of ours. The same kernel and
/// busybox give the same bytes.
void write_initramfs(const Kernel& kernel, const std::string& scratch, const std::string& file);

}  // namespace clara
