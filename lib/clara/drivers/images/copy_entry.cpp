#include "clara/drivers/images/copy_entry.hpp"

#include <fcntl.h>
#include <sys/xattr.h>
#include <unistd.h>

#include <cerrno>
#include <cstring>
#include <vector>

#include "clara/base/error.hpp"
#include "clara/base/files.hpp"

namespace clara {
namespace {

/// Those a guest can have a use for (file capabilities, users' own, ACLs); not the host's security labels.
bool is_kept(const char* name) {
    for (const char* kept : {"user.", "security.capability", "system.posix_acl_"})
        if (std::strncmp(name, kept, std::strlen(kept)) == 0) return true;
    return false;
}

void copy_xattrs(int from, int to) {
    std::vector<char> names(65536), value(65536);  // XATTR_LIST_MAX, XATTR_SIZE_MAX
    ssize_t size = ::flistxattr(from, names.data(), names.size());
    if (size < 0 && errno == ENOTSUP) return;
    if (size < 0) throw system_error("cannot read extended attributes", errno);
    for (const char* name = names.data(); name < names.data() + size; name += std::strlen(name) + 1) {
        if (!is_kept(name)) continue;
        ssize_t length = ::fgetxattr(from, name, value.data(), value.size());
        if (length < 0 || ::fsetxattr(to, name, value.data(), static_cast<std::size_t>(length), 0) != 0)
            throw system_error(std::string("cannot copy extended attribute ") + name, errno);
    }
}

std::string link_target(int from, const std::string& name) {
    std::vector<char> target(4097);  // PATH_MAX
    ssize_t size = ::readlinkat(from, name.c_str(), target.data(), target.size());
    if (size < 0) throw system_error("cannot read link " + name, errno);
    return {target.data(), static_cast<std::size_t>(size)};
}

}  // namespace

void copy_attributes(int from, int to) {
    struct stat st {};
    if (::fstat(from, &st) != 0) throw system_error("cannot examine", errno);
    const timespec times[2] = {st.st_atim, st.st_mtim};
    if (::fchown(to, st.st_uid, st.st_gid) != 0 || ::fchmod(to, st.st_mode & 07777) != 0)
        throw system_error("cannot set owner and mode", errno);
    copy_xattrs(from, to);  // after the owner: a chown drops file capabilities
    if (::futimens(to, times) != 0) throw system_error("cannot set times", errno);
}

void copy_entry(int from, const std::string& name, const struct stat& st, int to,
                const std::string& new_name) {
    const timespec times[2] = {st.st_atim, st.st_mtim};
    auto must = [&](int result, const char* what) {
        if (result != 0) throw system_error(std::string(what) + " " + name, errno);
    };
    if (S_ISREG(st.st_mode)) {
        Fd in(::openat(from, name.c_str(), O_RDONLY | O_NOFOLLOW | O_NONBLOCK | O_CLOEXEC));
        if (!in) throw system_error("cannot open " + name, errno);
        Fd out(::openat(to, new_name.c_str(), O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC | O_NOFOLLOW, 0600));
        if (!out) throw system_error("cannot make " + new_name, errno);
        copy_sparse(in.get(), out.get());
        must(::fchown(out.get(), st.st_uid, st.st_gid), "cannot set the owner of");
        must(::fchmod(out.get(), st.st_mode & 07777), "cannot set the mode of");
        copy_xattrs(in.get(), out.get());  // after the owner: a chown drops file capabilities
        must(::futimens(out.get(), times), "cannot set the times of");
        return;
    }
    if (S_ISLNK(st.st_mode))
        must(::symlinkat(link_target(from, name).c_str(), to, new_name.c_str()), "cannot copy link");
    else if (S_ISFIFO(st.st_mode))
        must(::mkfifoat(to, new_name.c_str(), 0600), "cannot copy FIFO");
    else
        throw Error(ErrorKind::failed, name + " is no file, folder or link");
    must(::fchownat(to, new_name.c_str(), st.st_uid, st.st_gid, AT_SYMLINK_NOFOLLOW),
         "cannot set the owner of");
    if (S_ISFIFO(st.st_mode))
        must(::fchmodat(to, new_name.c_str(), st.st_mode & 07777, 0), "cannot set the mode of");
    must(::utimensat(to, new_name.c_str(), times, AT_SYMLINK_NOFOLLOW), "cannot set the times of");
}

}  // namespace clara
