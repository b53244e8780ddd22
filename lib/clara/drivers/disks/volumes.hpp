// Partitions and file systems of a disk, by libblkid.
#pragma once
#include <cstdint>
#include <string>
#include <vector>

namespace clara {

struct Volume {
    int number = 0;            ///< of the partition; 0: the disk has no partition table
    std::uint64_t offset = 0;  ///< bytes from the disk's beginning
    std::uint64_t size = 0;    ///< bytes
    std::string type;          ///< ext4, xfs, LVM2_member, swap, ntfs ...; empty: not known
    std::string uuid, label;   ///< of the file system
    std::string part_uuid;     ///< of the partition: fstab's PARTUUID=
    bool editable() const { return type == "ext2" || type == "ext3" || type == "ext4"; }
};

/// Of a disk as a file of plain blocks. Error{failed} where it cannot be read.
std::vector<Volume> find_volumes(const std::string& device);

}  // namespace clara
