// Which of a disk's file systems a guest mounts where.
#pragma once
#include <string>
#include <vector>

#include "clara/ops/guest_tree.hpp"
#include "clara/ops/volumes.hpp"

namespace clara {

struct FstabEntry {
    std::string source;  ///< as written: UUID=..., /dev/sda1
    std::string target;  ///< e.g. /boot
    std::string type;    ///< as written
};

/// Comments and lines that are no entries are left out.
std::vector<FstabEntry> parse_fstab(const std::string& text);

/// The volume that an entry names by UUID, label, PARTUUID, or as a partition of the first disk; null where
/// it is none of these.
const Volume* volume_of(const std::string& source, const std::vector<Volume>& volumes);

/// What speaks for it that the file system is a system's root: -1: it is none. Of several the one with the
/// most points is it: one that calls itself so in its fstab, then one that knows its name.
int root_points(const GuestTree& files, const Volume& volume, const std::vector<Volume>& volumes);

/// /dev/sda2, /dev/vda2, /dev/nvme0n1p2, /dev/mmcblk0p2: 2; anything else: 0.
int partition_of_first_disk(const std::string& device);

}  // namespace clara
