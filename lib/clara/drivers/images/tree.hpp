// The folder an image is made from. Every path is resolved inside it (openat2 RESOLVE_IN_ROOT), because what
// a tar file or a site's folder brings may hold symbolic links such as etc -> /etc. Owners are ids inside the
// guest.
#pragma once
#include <sys/types.h>

#include <map>
#include <string>
#include <utility>

#include "clara/base/handle.hpp"

namespace clara {

struct Owner {
    uid_t uid = 0;
    gid_t gid = 0;
};

class Tree {
  public:
    explicit Tree(const std::string& path);
    const std::string& path() const { return path_; }

    /// True where the path is there; a symbolic link counts where its target is there too.
    bool has(const std::string& path) const;
    std::string read(const std::string& path) const;  ///< Error where it is missing or above 1 MiB
    /// Folders, with parents (root's, 0755); one that is there keeps its owner and mode.
    void folder(const std::string& path, mode_t mode = 0755, Owner owner = {});
    void write(const std::string& path, std::string_view text, mode_t mode = 0644, Owner owner = {});
    void symlink(const std::string& target, const std::string& path);

    /// One file, folder (itself, not what is in it) or symbolic link of the host, as root's and without
    /// setuid and setgid: group ids of the host mean nothing in a guest.
    void take(const std::string& host, const std::string& path);

    /// All of a folder over the tree, later files win; owners, modes, times, extended attributes and hard
    /// links are kept; device nodes and sockets are left out (a guest gets its devices from its template),
    /// other file systems mounted below too. `move`: files are renamed, for folders of our own on the same
    /// file system.
    void merge(const std::string& host_folder, bool move);

  private:
    using Links = std::map<std::pair<dev_t, ino_t>, std::string>;
    Fd open(const std::string& path, int flags) const;
    std::pair<Fd, std::string> parent(const std::string& path);
    void merge_folder(int from, const std::string& path, bool move, dev_t device, Links& links);
    void merge_entry(int from, const std::string& name, const std::string& path, bool move, dev_t device,
                     Links& links);

    std::string path_;
    Fd root_;
};

}  // namespace clara
