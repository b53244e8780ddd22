// Partitions and file systems of a disk, as they were found.
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
    std::string part_type;     ///< GPT: a UUID in small letters; MBR: 0x83
    bool editable() const { return type == "ext2" || type == "ext3" || type == "ext4"; }
};

}  // namespace clara
