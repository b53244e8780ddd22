// Reading a file of a stopped guest from its ext4 disk, without mounting it.
#pragma once
#include <optional>
#include <string>

namespace clara {

/// The last `limit` bytes of the file at `path` in the file system image `disk`; nullopt where it is absent
/// or not a regular file. Symbolic links at the end are not followed. e.g. ("disk.raw",
/// "/upper/var/log/clara/ioc.log")
std::optional<std::string> read_disk_file(const std::string& disk, const std::string& path,
                                          std::size_t limit);

}  // namespace clara
