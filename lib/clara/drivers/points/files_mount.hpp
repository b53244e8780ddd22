// A restore point's files at a place of the host, until somebody unmounts that.
#pragma once
#include <string>
#include <vector>

#include "clara/drivers/points/files.hpp"

namespace clara::points {

/// Mounts them on an empty folder, read-only. A process of ours stays behind the mount, needs nothing, and
/// ends when the mount is gone for everybody, however it was unmounted. Returns GuestFiles::parts(), which
/// are not mounted. Error{refused} where the folder is absent, not empty or a mount point.
std::vector<std::string> mount_files(FilesChoice choice, const std::string& folder);

/// Error{refused} where that is none of mount_files', Error{busy} where it is in use.
void unmount_files(const std::string& folder);

}  // namespace clara::points
