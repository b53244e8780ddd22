#include "clara/drivers/storage/rollback.hpp"

#include <fcntl.h>
#include <unistd.h>

#include <cerrno>
#include <cstdio>

#include "clara/base/error.hpp"
#include "clara/base/files.hpp"
#include "clara/drivers/storage/ext4_check.hpp"
#include "clara/drivers/storage/folders.hpp"
#include "clara/drivers/storage/layout.hpp"
#include "clara/drivers/storage/mount.hpp"
#include "clara/drivers/storage/same_bytes.hpp"
#include "clara/drivers/storage/snapshots.hpp"

namespace clara::rollback {
namespace {

constexpr const char* next = "next.raw";
Fd lock_disk(int guest, const std::string& name) {
    try {
        return open_disk(guest, "disk.raw", disk_release);
    } catch (Error& e) {
        throw e.in("guest " + name + " runs");
    }
}

/// guest.yaml of `from` becomes that of `to` where they differ.
void give_spec(int from, int to) {
    auto text = read_file_at(from, "guest.yaml");
    if (!text) throw Error(ErrorKind::failed, "guest.yaml is missing in the snapshot");
    if (text != read_file_at(to, "guest.yaml")) write_file_at(to, "guest.yaml", *text, 0640);
}

void give_disk(int from, const char* name, int guest) {
    if (::renameat(from, name, guest, "disk.raw") != 0)
        throw system_error("cannot put a disk in the place of disk.raw", errno);
    fsync_or_throw(guest, "the guest's folder");
}

/// To be called by who has the disk's lock.
void restore(int guest, int kept, const SwitchDisk& a) {
    if (exists_at(kept, "disk.raw")) {
        give_spec(kept, guest);
        give_disk(kept, "disk.raw", guest);
    }
    snapshots::remove({a.pool, a.name, a.kept.name, a.kind});
}

}  // namespace

void prepare(const PrepareRollback& a) {
    Fd folder = snapshots::open_clean(a.pool, a.name);
    Fd from(
        ::openat(open_dir_at(folder.get(), a.snapshot).get(), "disk.raw", O_RDONLY | O_NOFOLLOW | O_CLOEXEC));
    if (!from) throw system_error("cannot open the disk of snapshot " + a.snapshot, errno);
    Fd partial = snapshots::make_partial(folder.get(), a.kept);
    try {
        Fd to(::openat(partial.get(), next, O_RDWR | O_CREAT | O_EXCL | O_NOFOLLOW | O_CLOEXEC, 0600));
        if (!to) throw system_error(std::string("cannot make ") + next, errno);
        copy_disk(from.get(), to.get());
        settle_ext4(pool::snapshot(a.pool, a.name, pool::partial(a.kept)) + "/" + next,
                    "take another one: clara-snapshot list " + a.name);
        fsync_or_throw(to.get(), next);
    } catch (Error& e) {
        remove_tree_at(folder.get(), pool::partial(a.kept));
        rethrow_full(e, a.pool);
    }
}

void switch_disk(const SwitchDisk& a) {
    Fd guest = open_dir(pool::guest(a.pool, a.name));
    Fd folder = open_dir(pool::snapshots(a.pool, a.name));
    Fd snapshot = open_dir_at(folder.get(), a.snapshot);
    Fd kept = open_dir_at(folder.get(), pool::partial(a.kept.name));
    Fd lock = lock_disk(guest.get(), a.name);
    snapshots::copy_spec(guest.get(), kept.get());
    snapshots::write_info(kept.get(), a.kept);
    if (::linkat(guest.get(), "disk.raw", kept.get(), "disk.raw", 0) != 0)
        throw system_error("cannot link disk.raw into snapshot " + a.kept.name, errno);
    fsync_or_throw(lock.get(), "disk.raw");
    snapshots::publish_folder(folder.get(), a.kept.name);
    try {
        give_spec(snapshot.get(), guest.get());
        give_disk(kept.get(), next, guest.get());
    } catch (...) {
        restore(guest.get(), open_dir_at(folder.get(), a.kept.name).get(), a);
        throw;
    }
}

void switch_back(const SwitchDisk& a) {
    Fd guest = open_dir(pool::guest(a.pool, a.name));
    Fd lock = lock_disk(guest.get(), a.name);
    restore(guest.get(), open_dir(pool::snapshot(a.pool, a.name, a.kept.name)).get(), a);
}

}  // namespace clara::rollback
