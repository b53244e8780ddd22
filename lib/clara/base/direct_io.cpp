#include "clara/base/direct_io.hpp"

#include <dirent.h>
#include <fcntl.h>
#include <sys/stat.h>

#include <cerrno>
#include <memory>

#include "clara/base/handle.hpp"

namespace clara {

bool takes_direct_io(const std::string& folder) {
    Fd fresh(::open(folder.c_str(), O_TMPFILE | O_RDWR | O_DIRECT | O_CLOEXEC, 0600));
    if (fresh) return true;
    if (errno == EINVAL) return false;
    // No nameless files (NFS, FUSE), or a folder that is not ours to write: a file that is there tells as
    // well.
    Handle<DIR, ::closedir> dir(::opendir(folder.c_str()));
    if (!dir) return true;
    while (const dirent* entry = ::readdir(dir.get())) {
        struct stat st {};
        const int at = ::dirfd(dir.get());
        if (::fstatat(at, entry->d_name, &st, AT_SYMLINK_NOFOLLOW) != 0 || !S_ISREG(st.st_mode)) continue;
        Fd file(::openat(at, entry->d_name, O_RDONLY | O_DIRECT | O_NOFOLLOW | O_CLOEXEC));
        if (file || errno == EINVAL) return static_cast<bool>(file);
    }
    return true;
}

}  // namespace clara
