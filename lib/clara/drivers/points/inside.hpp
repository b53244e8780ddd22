// Commands inside a guest that runs, before and after its backup.
#pragma once
#include <string>
#include <vector>

#include "clara/drivers/libvirt/driver.hpp"

namespace clara::points {

using Command = std::vector<std::string>;

/// Runs them in order as the guest's root: in a container by lxc-attach(1), in a VM by its guest agent. Error
/// that names the first one that fails, with its last words.
void run_inside(LibvirtDriver& libvirt, const std::string& kind, const std::string& home,
                const std::string& guest, const std::vector<Command>& commands);

}  // namespace clara::points
