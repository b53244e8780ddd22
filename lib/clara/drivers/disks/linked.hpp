// Copies of disks that keep to an image what they have in common with it.
#pragma once
#include "clara/drivers/disks/convert.hpp"

namespace clara {

/// As convert_disk, but the new qcow2 is linked to the qcow2 `backing` (a name relative to the target's
/// folder, which stays as it is written) and holds only what differs from it. The disk itself may be
/// `backing`, stand on it at once or over several files, or be one of its own.
void copy_linked(const std::string& source, const std::string& format, const std::string& target,
                 const std::string& backing, const ConvertOptions& options);

/// Bytes that such a copy takes, at most; `backing` is a path.
std::uint64_t linked_needs(const std::string& source, const std::string& format, const std::string& backing);

}  // namespace clara
