// Whether files of a folder can be read and written past the host's page cache.
#pragma once
#include <string>

namespace clara {

/// O_DIRECT (man 2 open) works on the folder's file system; tmpfs before Linux 6.6 and some FUSE file systems
/// refuse it. Leaves nothing behind. True where the folder is not there yet.
bool takes_direct_io(const std::string& folder);

}  // namespace clara
