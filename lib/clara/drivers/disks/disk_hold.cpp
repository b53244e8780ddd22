#include "clara/drivers/disks/disk_hold.hpp"

#include <fcntl.h>
#include <sys/stat.h>

#include <cerrno>
#include <climits>

#include "clara/base/error.hpp"
#include "clara/base/files.hpp"

namespace clara {
namespace {

// QEMU's locks, block/file-posix.c: who may do a thing has a lock on 100 + the bit of its permission
// (block.h: BLK_PERM_WRITE is bit 1, BLK_PERM_RESIZE bit 3), who bears nobody else doing it on 200 + that.
constexpr off_t may_do = 100, bears_nobody = 200;
constexpr off_t writing = 1, resizing = 3;

struct flock one_byte(short type, off_t at) {
    struct flock lock {};
    lock.l_type = type;
    lock.l_whence = SEEK_SET;
    lock.l_start = at;
    lock.l_len = 1;
    return lock;
}

/// As QEMU does for a reader: first it forbids, then it looks whether somebody does it already.
bool forbid(int fd, off_t permission) {
    auto mine = one_byte(F_RDLCK, bears_nobody + permission);
    if (::fcntl(fd, F_OFD_SETLK, &mine) != 0) {
        if (errno == EAGAIN || errno == EACCES) return false;
        throw system_error("cannot lock", errno);
    }
    auto theirs = one_byte(F_WRLCK, may_do + permission);
    if (::fcntl(fd, F_OFD_GETLK, &theirs) != 0) throw system_error("cannot examine lock", errno);
    return theirs.l_type == F_UNLCK;
}

Error in_use(const std::string& path, bool device) {
    if (!device)
        return {ErrorKind::busy, path + " is in use: another program may be writing to it",
                "stop the guest that uses it"};
    return {ErrorKind::busy, path + " is in use: it, or a part of it, is mounted or belongs to LVM or RAID",
            "unmount it, or read it as a running server's: ssh://root@localhost" + path};
}

/// The loop device that writes into the file: the kernel takes no lock for it. Empty: there is none.
std::string loop_on(const struct stat& file) {
    const std::string folder = "/sys/block";
    if (!exists(folder)) return {};
    for (const auto& name : list_dir(folder)) {
        const std::string device = folder + "/" + name;
        auto backing = read_file(device + "/loop/backing_file", PATH_MAX);
        if (!backing || read_file(device + "/ro").value_or("").starts_with('1')) continue;
        while (!backing->empty() && backing->back() == '\n') backing->pop_back();
        struct stat st {};
        if (::stat(backing->c_str(), &st) == 0 && st.st_dev == file.st_dev && st.st_ino == file.st_ino)
            return "/dev/" + name;
    }
    return {};
}

}  // namespace

bool is_block_device(const std::string& path) {
    struct stat st {};
    return ::stat(path.c_str(), &st) == 0 && S_ISBLK(st.st_mode);
}

Fd hold_disk(const std::string& path) try {
    const bool device = is_block_device(path);
    Fd fd(::open(path.c_str(), O_RDONLY | O_NONBLOCK | O_CLOEXEC | (device ? O_EXCL : 0)));
    if (!fd && errno == EBUSY) throw in_use(path, device);
    struct stat st {};
    if (!fd || ::fstat(fd.get(), &st) != 0) throw system_error("cannot open " + path, errno);
    if (!S_ISREG(st.st_mode) && !S_ISBLK(st.st_mode))
        throw Error(ErrorKind::refused, path + " is neither a file nor a block device");
    if (!forbid(fd.get(), writing) || !forbid(fd.get(), resizing)) throw in_use(path, device);
    if (const std::string loop = device ? std::string() : loop_on(st); !loop.empty())
        throw Error(ErrorKind::busy, path + " is in use as " + loop, "unmount that; losetup -d " + loop);
    return fd;
} catch (Error& e) {
    if (e.message().find(path) == std::string::npos) e.in(path);
    throw;
}

}  // namespace clara
