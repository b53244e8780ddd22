// From a tree to a disk: MBR with GRUB, a small EFI partition, ext4; all of it written in user space.
#pragma once
#include <cstdint>
#include <string>

namespace clara {

/// Error{failed} that names what is not installed on this host and how to get it.
void need_disk_tools();

/// Writes the qcow2 `file` of `size` bytes whose root file system, of that UUID, holds the tree.
/// `keep_times`: the files' own times, else 1970. `scratch` is an empty folder of ours on the same file
/// system. The same tree gives the same bytes.
void write_machine_disk(const std::string& tree, const std::string& root_uuid, std::uint64_t size,
                        bool keep_times, const std::string& scratch, const std::string& file);

}  // namespace clara
