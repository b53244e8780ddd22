// Files into the disk of a virtual machine that does not run.
#pragma once
#include <string>

#include "clara/plan/action.hpp"

namespace clara {

/// What fill_disk_image() does for a container's disk, for `disk` (qcow2) of a virtual machine: folders and
/// files of `fill` into its root file system, owners by name or number, parents as they are there. Not
/// fsynced. Error{refused} where the disk holds no root file system that can be changed.
void fill_guest_disk(const std::string& disk, const FillDisk& fill);

}  // namespace clara
