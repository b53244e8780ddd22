// Is what lies on a disk sound? Reasons not to trust it, for people; none: it is.
#pragma once
#include <string>
#include <vector>

namespace clara::points {

/// The copy of a container's disk, which is brought to rest first (its journal is replayed). An error that
/// the kernel has noted in the superblock counts, even where e2fsck could mend it.
std::vector<std::string> examine_container(const std::string& disk);

/// A virtual machine's disk, a qcow2 with all it stands on: every ext file system on it, each at rest after
/// its journal was replayed. Nothing of it is changed. What is on no known file system cannot be examined.
std::vector<std::string> examine_machine(const std::string& disk);

}  // namespace clara::points
