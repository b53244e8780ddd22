#include "clara/base/files.hpp"

#include <dirent.h>
#include <fcntl.h>
#include <linux/fs.h>
#include <sys/ioctl.h>
#include <sys/stat.h>
#include <sys/statvfs.h>

#include <algorithm>
#include <cerrno>
#include <cstdio>

#include "clara/base/error.hpp"

namespace clara {
namespace {

Fd open_or_throw(int dir, const std::string& name, int flags, mode_t mode = 0) {
    Fd fd(::openat(dir, name.c_str(), flags | O_CLOEXEC, mode));
    if (!fd) throw system_error("cannot open " + name, errno);
    return fd;
}

std::string parent_of(const std::string& path) {
    auto slash = path.rfind('/');
    if (slash == std::string::npos) return ".";
    return slash == 0 ? "/" : path.substr(0, slash);
}

std::string leaf_of(const std::string& path) {
    auto slash = path.rfind('/');
    return slash == std::string::npos ? path : path.substr(slash + 1);
}

/// As copy_file_range(2), which refuses two kinds of file systems (EXDEV, e.g. from ext4 to tmpfs).
ssize_t copy_piece(int from, off_t* in, int to, off_t* out, off_t most) {
    char buffer[65536];
    ssize_t got = ::pread(from, buffer, static_cast<std::size_t>(std::min<off_t>(most, sizeof buffer)), *in);
    if (got > 0) got = ::pwrite(to, buffer, static_cast<std::size_t>(got), *out);
    if (got > 0) *in += got, *out += got;
    return got;
}

}  // namespace

Fd open_dir(const std::string& path) {
    return open_or_throw(AT_FDCWD, path, O_RDONLY | O_DIRECTORY);
}

Fd open_dir_at(int dir, const std::string& name) {
    return open_or_throw(dir, name, O_RDONLY | O_DIRECTORY | O_NOFOLLOW);
}

Fd make_dir_at(int dir, const std::string& name, mode_t mode) {
    if (::mkdirat(dir, name.c_str(), mode) != 0 && errno != EEXIST)
        throw system_error("cannot make folder " + name, errno);
    return open_dir_at(dir, name);
}

void make_dirs(const std::string& path, mode_t mode) {
    for (std::size_t at = 1; at <= path.size(); ++at) {
        if (at != path.size() && path[at] != '/') continue;
        std::string part = path.substr(0, at);
        if (::mkdir(part.c_str(), at == path.size() ? mode : 0755) != 0 && errno != EEXIST)
            throw system_error("cannot make folder " + part, errno);
    }
}

bool exists_at(int dir, const std::string& name) {
    return ::faccessat(dir, name.c_str(), F_OK, AT_SYMLINK_NOFOLLOW) == 0;
}
bool exists(const std::string& path) {
    return exists_at(AT_FDCWD, path);
}

std::optional<std::string> read_file_at(int dir, const std::string& name, std::size_t limit) {
    Fd fd(::openat(dir, name.c_str(), O_RDONLY | O_CLOEXEC | O_NONBLOCK));
    if (!fd) {
        if (errno == ENOENT || errno == ENOTDIR) return std::nullopt;
        throw system_error("cannot read " + name, errno);
    }
    std::string text;
    char buffer[16384];
    for (;;) {
        ssize_t got = ::read(fd.get(), buffer, sizeof buffer);
        if (got < 0 && errno == EINTR) continue;
        // A file of a process or control group that has ended meanwhile.
        if (got < 0 && (errno == ESRCH || errno == ENODEV)) return std::nullopt;
        if (got < 0) throw system_error("cannot read " + name, errno);
        if (got == 0) return text;
        text.append(buffer, static_cast<std::size_t>(got));
        if (text.size() > limit)
            throw Error(ErrorKind::usage, name + " is larger than " + std::to_string(limit) + " bytes");
    }
}
std::optional<std::string> read_file(const std::string& path, std::size_t limit) {
    return read_file_at(AT_FDCWD, path, limit);
}

void write_all(int fd, std::string_view text) {
    while (!text.empty()) {
        ssize_t put = ::write(fd, text.data(), text.size());
        if (put < 0 && errno == EINTR) continue;
        if (put < 0) throw system_error("cannot write", errno);
        text.remove_prefix(static_cast<std::size_t>(put));
    }
}

void fsync_or_throw(int fd, const std::string& what) {
    if (::fsync(fd) != 0) throw system_error("cannot write " + what + " to disk", errno);
}

void write_file_at(int dir, const std::string& name, std::string_view text, mode_t mode, Durable durable) {
    std::string partial = "." + name + "." + std::to_string(::getpid()) + ".partial";
    try {
        Fd fd = open_or_throw(dir, partial, O_WRONLY | O_CREAT | O_TRUNC | O_NOFOLLOW, mode);
        write_all(fd.get(), text);
        if (::fchmod(fd.get(), mode) != 0) throw system_error("cannot write " + name, errno);
        if (durable != Durable::nothing) fsync_or_throw(fd.get(), name);
        if (::renameat(dir, partial.c_str(), dir, name.c_str()) != 0)
            throw system_error("cannot rename " + name, errno);
        if (durable == Durable::whole && dir != AT_FDCWD) fsync_or_throw(dir, "the folder of " + name);
    } catch (Error& e) {
        ::unlinkat(dir, partial.c_str(), 0);
        throw e.in("writing " + name);
    }
}

void write_file(const std::string& path, std::string_view text, mode_t mode) {
    Fd dir = open_dir(parent_of(path));
    write_file_at(dir.get(), leaf_of(path), text, mode);
}

std::vector<std::string> list_dir(int dir) {
    Fd copy(::openat(dir, ".", O_RDONLY | O_DIRECTORY | O_CLOEXEC));
    DIR* stream = copy ? ::fdopendir(copy.get()) : nullptr;
    if (!stream) throw system_error("cannot list folder", errno);
    copy.release();
    std::vector<std::string> names;
    while (dirent* entry = ::readdir(stream)) {
        std::string name = entry->d_name;
        if (name != "." && name != "..") names.push_back(std::move(name));
    }
    ::closedir(stream);
    std::sort(names.begin(), names.end());
    return names;
}
std::vector<std::string> list_dir(const std::string& path) {
    return list_dir(open_dir(path).get());
}

void remove_tree_at(int dir, const std::string& name) {
    if (::unlinkat(dir, name.c_str(), 0) == 0 || errno == ENOENT) return;
    if (errno != EISDIR && errno != EPERM) throw system_error("cannot remove " + name, errno);
    {
        Fd sub = open_dir_at(dir, name);
        for (const auto& entry : list_dir(sub.get())) remove_tree_at(sub.get(), entry);
    }
    if (::unlinkat(dir, name.c_str(), AT_REMOVEDIR) != 0 && errno != ENOENT)
        throw system_error("cannot remove folder " + name, errno);
}

void copy_sparse(int from, int to) {
    if (::ioctl(to, FICLONE, from) == 0) return;
    struct stat st {};
    if (::fstat(from, &st) != 0 || ::ftruncate(to, st.st_size) != 0) throw system_error("cannot copy", errno);
    off_t at = 0;
    while (at < st.st_size) {
        off_t data = ::lseek(from, at, SEEK_DATA);
        if (data < 0 && errno == ENXIO) return;  // only a hole is left
        if (data < 0) throw system_error("cannot find data", errno);
        off_t end = ::lseek(from, data, SEEK_HOLE);
        off_t out = data;
        while (data < end) {
            ssize_t got = ::copy_file_range(from, &data, to, &out, static_cast<std::size_t>(end - data), 0);
            if (got < 0 && errno == EXDEV) got = copy_piece(from, &data, to, &out, end - data);
            if (got < 0) throw system_error("cannot copy", errno);
            if (got == 0) break;
        }
        at = end;
    }
}

std::uint64_t free_bytes(const std::string& path) {
    struct statvfs st {};
    if (::statvfs(path.c_str(), &st) != 0) throw system_error("cannot examine " + path, errno);
    return std::uint64_t{st.f_bavail} * st.f_frsize;
}

std::string helper_path(const std::string& program) {
    char self[4096];
    ssize_t n = ::readlink("/proc/self/exe", self, sizeof self - 1);
    if (n < 0) throw system_error("cannot read /proc/self/exe", errno);
    std::string here = parent_of(std::string(self, static_cast<std::size_t>(n)));
    for (const std::string& folder : {here, parent_of(here) + "/lib/clara", parent_of(here) + "/sbin"})
        if (exists(folder + "/" + program)) return folder + "/" + program;
    throw Error(ErrorKind::failed, "helper program " + program + " is missing beside " + here,
                "reinstall clara, or build it: ./dev build");
}

}  // namespace clara
