#include "clara/drivers/snapshot_diff.hpp"

#include <fcntl.h>
#include <linux/openat2.h>
#include <sys/mount.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <unistd.h>

#include <cerrno>

#include "clara/base/error.hpp"
#include "clara/base/files.hpp"
#include "clara/base/lock.hpp"
#include "clara/drivers/running_guest.hpp"
#include "clara/drivers/storage/disk_tree.hpp"
#include "clara/drivers/storage/ext4_check.hpp"
#include "clara/drivers/storage/layout.hpp"
#include "clara/drivers/storage/mount.hpp"
#include "clara/drivers/storage/snapshot_list.hpp"
#include "clara/drivers/storage/snapshots.hpp"
#include "clara/drivers/vm_diff.hpp"

namespace clara {
namespace {

/// The image's files, through a mount that is attached nowhere.
class ImageFiles {
  public:
    ImageFiles(const std::string& pool, const std::string& id) {
        Fd file(::open(pool::image(pool, id).c_str(), O_RDONLY | O_CLOEXEC));
        if (!file) throw system_error("cannot open image " + id, errno);
        Loop loop = attach_loop(file.get(), LoopMode::read_only);
        mount_ = new_mount("erofs", loop.path, {{"ro", ""}}, MOUNT_ATTR_RDONLY);
    }

    std::optional<mode_t> mode_of(const std::string& path) const {
        open_how how{};
        how.flags = O_PATH | O_NOFOLLOW | O_CLOEXEC;
        how.resolve = RESOLVE_IN_ROOT | RESOLVE_NO_SYMLINKS;
        Fd fd(static_cast<int>(::syscall(SYS_openat2, mount_.get(), path.c_str(), &how, sizeof how)));
        struct stat st {};
        if (fd && ::fstat(fd.get(), &st) == 0) return st.st_mode;
        if (errno == ENOENT || errno == ENOTDIR || errno == ELOOP || errno == ENAMETOOLONG)
            return std::nullopt;
        throw system_error(path + " in the image", errno);
    }

  private:
    Fd mount_;
};

/// The disk of now, in a file without a name.
class NowDisk {
  public:
    NowDisk(const Site& site, const DiffRequest& request) {
        make_dirs(request.pool + "/locks");
        auto lock = NamedLock::take(pool::lock(request.pool, request.guest), "diff " + request.guest,
                                    request.lock_wait);
        const std::string mount = site.run_dir + "/guests/" + request.guest + "/disk";
        const bool runs = is_mount_point(mount);
        file_ = snapshots::copy_now({.pool = request.pool, .name = request.guest, .mount = runs ? mount : ""})
                    .disk;
        settle_ext4(path(), "look at the guest's own disk when it is stopped: e2fsck -f -n " +
                                pool::guest(request.pool, request.guest) + "/disk.raw");
    }
    std::string path() const {
        return "/proc/" + std::to_string(::getpid()) + "/fd/" + std::to_string(file_.get());
    }

  private:
    Fd file_;
};

}  // namespace

std::vector<TreeChange> diff_snapshots(const Site& site, const DiffRequest& request) {
    auto spec_of = [&](const std::string& snapshot) {
        return snapshot.empty() ? require_guest(request.pool, request.guest)
                                : load_snapshot_spec(request.pool, request.guest, snapshot);
    };
    if (spec_of(request.from).kind == "kvm") return diff_vm_snapshots(site, request);
    const std::string image = spec_of(request.from).image;
    if (auto other = spec_of(request.to).image; other != image)
        throw Error(ErrorKind::refused, "they stand on different images: " + image + " and " + other,
                    "compare two that stand on the same one");
    const ImageFiles files(request.pool, image);
    auto disk_of = [&](const std::string& snapshot) {
        return pool::snapshot(request.pool, request.guest, snapshot) + "/disk.raw";
    };
    std::optional<NowDisk> now;
    if (request.to.empty()) now.emplace(site, request);
    const DiskTree from(disk_of(request.from)), to(now ? now->path() : disk_of(request.to));
    return diff_trees(
        from.upper(), to.upper(),
        {[&](const TreeEntry& a, const TreeEntry& b) { return from.same_content(a.inode, to, b.inode); },
         [&](const std::string& path) { return files.mode_of(path); }});
}

}  // namespace clara
