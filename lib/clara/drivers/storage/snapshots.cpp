#include "clara/drivers/storage/snapshots.hpp"

#include <fcntl.h>
#include <sys/stat.h>

#include <cerrno>

#include "clara/base/error.hpp"
#include "clara/base/files.hpp"
#include "clara/drivers/storage/ext4_check.hpp"
#include "clara/drivers/storage/folders.hpp"
#include "clara/drivers/storage/layout.hpp"
#include "clara/drivers/storage/live_copy.hpp"
#include "clara/drivers/storage/mount.hpp"
#include "clara/drivers/storage/same_bytes.hpp"

namespace clara::snapshots {
namespace {

Fd make_file(int dir, const std::string& name) {
    Fd file(::openat(dir, name.c_str(), O_RDWR | O_CREAT | O_EXCL | O_NOFOLLOW | O_CLOEXEC, 0600));
    if (!file) throw system_error("cannot make " + name, errno);
    return file;
}

std::string copy_running(const MakeSnapshot& a, int guest, int to) {
    if (!is_mount_point(a.mount))
        throw StaleFacts(a.name + " has stopped meanwhile, or its disk is not mounted yet");
    Fd mount = open_dir(a.mount);
    Fd from(::openat(guest, "disk.raw", O_RDONLY | O_NOFOLLOW | O_CLOEXEC));
    if (!from) throw system_error("cannot open disk.raw", errno);
    return copy_live(from.get(), mount.get(), to, {a.patience, a.freeze_limit}).text();
}

/// The lock keeps it from being started elsewhere meanwhile.
std::string copy_stopped(int guest, int to) {
    Fd from = open_disk(guest, "disk.raw", disk_release);
    copy_disk(from.get(), to);
    return {};
}

std::string copy_into(const MakeSnapshot& a, int guest, int to) {
    return a.mount.empty() ? copy_stopped(guest, to) : copy_running(a, guest, to);
}

std::uint64_t taken(int fd) {
    struct stat st {};
    if (::fstat(fd, &st) != 0) throw system_error("cannot examine the copy", errno);
    return static_cast<std::uint64_t>(st.st_blocks) * 512;
}

}  // namespace

Fd open_clean(const std::string& pool, const std::string& guest) {
    Fd folder = make_dir_at(open_dir(pool::guest(pool, guest)).get(), "snapshots");
    for (const auto& name : list_dir(folder.get()))
        if (name[0] == '.') remove_tree_at(folder.get(), name);
    return folder;
}

Fd make_partial(int folder, const std::string& name) {
    if (exists_at(folder, name))
        throw Error(ErrorKind::refused, "there is a snapshot " + name + " already",
                    "choose another name, or delete that one");
    const std::string partial = pool::partial(name);
    if (::mkdirat(folder, partial.c_str(), 0755) != 0) throw system_error("cannot make " + partial, errno);
    return open_dir_at(folder, partial);
}

void copy_spec(int from, int to) {
    auto text = read_file_at(from, "guest.yaml");
    if (!text) throw Error(ErrorKind::failed, "guest.yaml is missing");
    write_file_at(to, "guest.yaml", *text, 0640, Durable::content);
}

void write_info(int snapshot, const SnapshotInfo& info) {
    write_file_at(snapshot, "snapshot.yaml", write_snapshot_info(info), 0644, Durable::content);
}

void publish_folder(int folder, const std::string& name) {
    const std::string partial = pool::partial(name);
    fsync_or_throw(open_dir_at(folder, partial).get(), partial);
    if (!rename_new(folder, partial, name))
        throw Error(ErrorKind::refused, "there is a snapshot " + name + " already");
    fsync_or_throw(folder, "the folder of snapshots");
}

std::string make(const MakeSnapshot& a) {
    Fd guest = open_dir(pool::guest(a.pool, a.name));
    Fd folder = open_clean(a.pool, a.name);
    Fd partial = make_partial(folder.get(), a.info.name);
    try {
        Fd disk = make_file(partial.get(), "disk.raw");
        std::string note = copy_into(a, guest.get(), disk.get());
        SnapshotInfo info = a.info;
        info.size = taken(disk.get());
        copy_spec(guest.get(), partial.get());
        write_info(partial.get(), info);
        return note;
    } catch (Error& e) {
        remove_tree_at(folder.get(), pool::partial(a.info.name));
        rethrow_full(e, a.pool);
    }
}

NowCopy copy_now(const MakeSnapshot& a) {
    Fd guest = open_dir(pool::guest(a.pool, a.name));
    Fd folder = open_clean(a.pool, a.name);
    const std::string name = pool::partial("now");
    Fd disk = make_file(folder.get(), name);
    if (::unlinkat(folder.get(), name.c_str(), 0) != 0) throw system_error("cannot unlink " + name, errno);
    try {
        std::string note = copy_into(a, guest.get(), disk.get());
        return {std::move(disk), std::move(note)};
    } catch (Error& e) {
        rethrow_full(e, a.pool);
    }
}

void publish(const PublishSnapshot& a) {
    Fd folder = open_dir(pool::snapshots(a.pool, a.name));
    Fd partial = open_dir_at(folder.get(), pool::partial(a.snapshot));
    try {
        settle_ext4(
            pool::snapshot(a.pool, a.name, pool::partial(a.snapshot)) + "/disk.raw",
            "stop it and look at its own disk: e2fsck -f -n " + pool::guest(a.pool, a.name) + "/disk.raw");
        Fd disk(::openat(partial.get(), "disk.raw", O_RDONLY | O_NOFOLLOW | O_CLOEXEC));
        if (!disk) throw system_error("cannot open disk.raw", errno);
        fsync_or_throw(disk.get(), "disk.raw");
        publish_folder(folder.get(), a.snapshot);
    } catch (Error& e) {
        rethrow_full(e, a.pool);
    }
}

void remove(const RemoveSnapshot& a) {
    const std::string place = pool::snapshots(a.pool, a.name);
    if (!exists(place)) return;
    Fd folder = open_dir(place);
    remove_tree_at(folder.get(), pool::partial(a.snapshot));
    const std::string removed = pool::removed(a.snapshot);
    remove_tree_at(folder.get(), removed);
    if (!exists_at(folder.get(), a.snapshot)) return;
    if (!rename_new(folder.get(), a.snapshot, removed))
        throw Error(ErrorKind::failed, removed + " is in the way");
    remove_tree_at(folder.get(), removed);
}

}  // namespace clara::snapshots
