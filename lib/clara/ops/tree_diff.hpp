// What a guest has changed between two states of its disk, as it sees it: through the overlay of the disk
// above its image. Pure.
#pragma once
#include <sys/types.h>

#include <cstdint>
#include <functional>
#include <map>
#include <optional>
#include <string>
#include <vector>

namespace clara {

/// An entry of a disk's upper layer.
struct TreeEntry {
    std::uint32_t inode = 0;
    mode_t mode = 0;
    uid_t uid = 0, gid = 0;
    std::uint64_t size = 0;    ///< bytes of a regular file
    std::int64_t changed = 0;  ///< ctime, ns since 1970
    std::string link;          ///< where a symbolic link leads
    bool whiteout = false;     ///< hides what the image has there
    bool opaque = false;       ///< a folder that shows nothing of the image's
    bool folder() const;
};
/// By path: "/etc/hosts". The root is left out.
using Tree = std::map<std::string, TreeEntry>;

struct TreeChange {
    enum class Kind { added, changed, removed } kind;
    std::string path;
    std::string what;  ///< of a change: content, mode, owner, ... ; empty else
};
const char* to_string(TreeChange::Kind kind);

struct TreeLook {
    /// True where two regular files of the same size have the same bytes.
    std::function<bool(const TreeEntry& from, const TreeEntry& to)> same_content;
    /// The image's mode (with its kind) of a path, nullopt where it has none.
    std::function<std::optional<mode_t>(const std::string& path)> in_image;
};

/// In the order of the paths. What lies below a folder that was removed is not told; what the image itself
/// has below one that came back neither.
std::vector<TreeChange> diff_trees(const Tree& from, const Tree& to, const TreeLook& look);

}  // namespace clara
