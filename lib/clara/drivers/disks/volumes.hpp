// Partitions and file systems of a disk, by libblkid.
#pragma once
#include <string>
#include <vector>

#include "clara/ops/volumes.hpp"

namespace clara {

/// Of a disk as a file of plain blocks. Error{failed} where it cannot be read.
std::vector<Volume> find_volumes(const std::string& device);
/// Those of them that are ext file systems and nothing else. Others are hardly read.
std::vector<Volume> find_ext_volumes(const std::string& device);

/// A program for the firmware of PCs lies at its beginning (the first 440 bytes of a master boot record).
bool has_boot_code(const std::string& device);

}  // namespace clara
