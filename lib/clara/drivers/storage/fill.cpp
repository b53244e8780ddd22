#include "clara/drivers/storage/fill.hpp"

#include <fcntl.h>
#include <sys/mount.h>
#include <sys/stat.h>

#include <algorithm>
#include <cerrno>
#include <charconv>

#include "clara/base/error.hpp"
#include "clara/base/files.hpp"
#include "clara/base/in_root.hpp"
#include "clara/drivers/storage/mount.hpp"

namespace clara {
namespace {

constexpr uid_t ioc_uid = 1000;       // in every image of ours
constexpr uid_t highest_uid = 65533;  // 65534 is nobody; an unprivileged guest has 65536 ids

std::vector<std::string> split_path(const std::string& path) {
    std::vector<std::string> parts;
    for (std::size_t at = 1; at <= path.size();) {
        std::size_t end = std::min(path.find('/', at), path.size());
        std::string part = path.substr(at, end - at);
        if (part == "." || part == "..") throw Error(ErrorKind::usage, path + " must not contain " + part);
        if (!part.empty()) parts.push_back(std::move(part));
        at = end + 1;
    }
    if (path.empty() || path[0] != '/' || parts.empty())
        throw Error(ErrorKind::usage, "'" + path + "' is not an absolute path inside the guest");
    return parts;
}

/// Opens a folder of the image as the guest would see it; no descriptor where there is none.
Fd open_in_image(int image, const std::string& path) {
    Fd fd = open_in_root(image, path, O_PATH | O_DIRECTORY);
    if (!fd && errno != ENOENT) throw system_error(path + " in the image", errno);
    return fd;
}

/// The folder's path in a detached mount, where the kernel counts from the mount's root.
std::string path_of(const Fd& fd) {
    char text[4096];
    ssize_t n = ::readlink(("/proc/self/fd/" + std::to_string(fd.get())).c_str(), text, sizeof text);
    if (n <= 0 || n == sizeof text || text[0] != '/') throw system_error("cannot follow a link", errno);
    return {text, static_cast<std::size_t>(n)};
}

class Filler {
  public:
    Filler(int upper, int image, const FillDisk& fill) : upper_(upper), image_(image), fill_(fill) {
        dress(upper_, image_ >= 0 ? open_in_image(image_, "/") : Fd());
    }

    /// Opens a folder of the guest, made where the disk has none yet.
    Fd folder(const std::vector<std::string>& parts) {
        std::string path;
        Fd original;
        for (const auto& part : parts) {
            path += "/" + part;
            if (image_ >= 0 && (original = open_in_image(image_, path))) path = path_of(original);
        }
        Fd at(::openat(upper_, ".", O_RDONLY | O_DIRECTORY | O_CLOEXEC));
        std::string so_far;
        for (const auto& part : path.empty() ? parts : split_path(path)) {
            so_far += "/" + part;
            bool made = ::mkdirat(at.get(), part.c_str(), 0755) == 0;
            if (!made && errno != EEXIST) throw system_error("cannot make " + so_far, errno);
            at = open_dir_at(at.get(), part);
            if (made) dress(at.get(), image_ >= 0 ? open_in_image(image_, so_far) : Fd());
        }
        return at;
    }

    void own(int fd, uid_t uid, mode_t mode) {
        // chown first: it would clear set-id bits.
        if (::fchown(fd, fill_.idmap_base + uid, fill_.idmap_base + uid) != 0 || ::fchmod(fd, mode) != 0)
            throw system_error("cannot set owner and mode", errno);
    }

    void place(const PlacedFile& file) {
        auto parts = split_path(file.path);
        std::string leaf = parts.back();
        parts.pop_back();
        Fd dir = parts.empty() ? Fd(::dup(upper_)) : folder(parts);
        Fd to(::openat(dir.get(), leaf.c_str(), O_WRONLY | O_CREAT | O_TRUNC | O_NOFOLLOW | O_CLOEXEC, 0600));
        if (!to) throw system_error("cannot open it", errno);
        if (file.source.empty())
            write_all(to.get(), file.content);
        else
            copy_source(file.source, to.get());
        own(to.get(), owner_id(file.owner, fill_), file.mode & 07777);
    }

  private:
    static void copy_source(const std::string& source, int to) {
        // O_NONBLOCK: a FIFO must not hang us before it is refused.
        Fd from(::open(source.c_str(), O_RDONLY | O_NONBLOCK | O_CLOEXEC));
        struct stat st {};
        if (!from || ::fstat(from.get(), &st) != 0) throw system_error("cannot read " + source, errno);
        if (!S_ISREG(st.st_mode)) throw Error(ErrorKind::usage, source + " is not a regular file");
        char buffer[1 << 16];
        for (ssize_t got; (got = ::read(from.get(), buffer, sizeof buffer)) != 0;) {
            if (got < 0) throw system_error("cannot read " + source, errno);
            write_all(to, {buffer, static_cast<std::size_t>(got)});
        }
    }

    /// Mode and owner as in the image; without one root's, 0755.
    void dress(int fd, const Fd& original) {
        struct stat st {};
        st.st_mode = 0755;
        if (original && ::fstat(original.get(), &st) != 0)
            throw system_error("cannot examine the image", errno);
        if (::fchown(fd, fill_.idmap_base + st.st_uid, fill_.idmap_base + st.st_gid) != 0 ||
            ::fchmod(fd, st.st_mode & 07777) != 0)
            throw system_error("cannot set owner and mode", errno);
    }

    int upper_;
    int image_;
    const FillDisk& fill_;
};

}  // namespace

uid_t owner_id(const std::string& owner, const FillDisk& fill) {
    if (owner == "root") return 0;
    if (auto user = fill.users.find(owner); user != fill.users.end()) return user->second;
    if (owner == "ioc") return ioc_uid;
    uid_t id = 0;
    auto [end, error] = std::from_chars(owner.data(), owner.data() + owner.size(), id);
    if (error != std::errc() || end != owner.data() + owner.size() || id > highest_uid)
        throw Error(ErrorKind::usage, "no user '" + owner + "' in the guest",
                    "root, ioc, a user of the template, or a number up to 65533");
    return id;
}

void fill_disk_image(int file, int image, const FillDisk& fill) {
    Loop loop = attach_loop(file, LoopMode::read_write);
    // Nobody sees this disk before it is whole and fsynced, so its journal and barriers would only cost time.
    Fd disk = new_mount("ext4", loop.path, {{"noload", ""}, {"nobarrier", ""}, {"noinit_itable", ""}},
                        MOUNT_ATTR_NOSUID | MOUNT_ATTR_NODEV | MOUNT_ATTR_NOEXEC);
    Fd base;
    if (image >= 0) {
        Loop lower = attach_loop(image, LoopMode::read_only);
        base = new_mount("erofs", lower.path, {{"ro", ""}}, MOUNT_ATTR_RDONLY);
    }
    Fd root = open_dir_at(disk.get(), ".");
    Fd upper = make_dir_at(root.get(), "upper");
    Fd work = make_dir_at(root.get(), "work", 0700);
    Filler filler(upper.get(), base.get(), fill);
    filler.own(work.get(), 0, 0700);
    for (const auto& entry : fill.folders) {
        std::size_t space = std::min(entry.rfind(' '), entry.size());
        std::string path = entry.substr(0, space);
        uid_t owner = space < entry.size() ? owner_id(entry.substr(space + 1), fill) : 0;
        try {
            filler.own(filler.folder(split_path(path)).get(), owner, 0755);
        } catch (Error& e) {
            throw e.in("making folder " + path);
        }
    }
    for (const auto& placed : fill.files) {
        try {
            filler.place(placed);
        } catch (Error& e) {
            throw e.in("placing " + placed.path);
        }
    }
    // An unmount would swallow the error of a full pool; this returns it.
    if (::syncfs(root.get()) != 0) throw system_error("cannot write the disk", errno);
}

}  // namespace clara
