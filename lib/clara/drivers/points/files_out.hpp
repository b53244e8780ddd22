// Files inside a stranger's root: listed, and copied out of it. Symbolic links are shown and copied as they
// are, and lead nowhere outside on the way to a path.
#pragma once
#include <sys/stat.h>

#include <cstdint>
#include <functional>
#include <string>
#include <vector>

namespace clara::points {

struct InnerFile {
    std::string path;  ///< below what was asked for; of a file what was asked for
    struct stat info {};
    std::string link;  ///< where a symbolic link leads
};

/// A folder's entries by name, with `recursive` each followed by what is in it; of anything else that alone.
/// Error{usage} where there is nothing of that name.
void list_files(int root, const std::string& path, bool recursive,
                const std::function<void(const InnerFile&)>& each);

struct CopiedOut {
    std::uint64_t files = 0, folders = 0, bytes = 0;
    std::uint64_t left_out = 0;  ///< devices and sockets
    std::uint64_t set_id = 0;    ///< programs that run as their owner or group
};

/// Each file or folder becomes FOLDER/ITS-NAME, whole or not at all; of "/" all that is in it. Owners, modes,
/// times, extended attributes, holes and hard links are kept. Error{refused} before anything is written where
/// a name is taken, Error{usage} where a path is not there.
CopiedOut copy_out(int root, const std::vector<std::string>& paths, const std::string& folder);

}  // namespace clara::points
