#include "clara/drivers/storage/vm_rollback.hpp"

#include <signal.h>
#include <unistd.h>

#include <cerrno>
#include <chrono>
#include <cstdlib>
#include <string_view>
#include <vector>

#include "clara/base/error.hpp"
#include "clara/base/files.hpp"
#include "clara/drivers/disks/inner_snapshots.hpp"
#include "clara/drivers/storage/folders.hpp"
#include "clara/drivers/storage/layout.hpp"
#include "clara/drivers/storage/mount.hpp"
#include "clara/drivers/storage/snapshots.hpp"
#include "clara/drivers/storage/vm_snapshots.hpp"

namespace clara::vm_rollback {
namespace {

constexpr const char* mark = pool::unfinished_rollback;

void check_tags(const std::string& pool, const std::string& guest, const std::string& snapshot) {
    for (const auto& disk : vm_disks(pool, guest))
        if (!has_tag(disk, snapshot_tag(snapshot)))
            throw Error(ErrorKind::failed, disk + " has no state of snapshot " + snapshot,
                        "take another one: clara-snapshot list " + guest);
}

/// What the guest is made of besides its disks becomes that of a snapshot; of a torn one it is torn again.
void give_parts(int from, int guest) {
    vm_snapshots::copy_parts(from, guest);
    if (auto whole = read_file_at(from, mark))
        write_file_at(guest, mark, *whole);
    else if (::unlinkat(guest, mark, 0) != 0 && errno != ENOENT)
        throw system_error(std::string("cannot remove ") + mark, errno);
    fsync_or_throw(guest, "the guest's folder");
}

/// The test hook: CLARA_TEST_SWITCH=KILL ends us when one disk is of then and the others are of now, FAIL
/// makes that fail.
void stop_for_test() {
    const char* hook = std::getenv("CLARA_TEST_SWITCH");
    if (!hook) return;
    if (std::string_view(hook) == "KILL") ::raise(SIGKILL);
    if (std::string_view(hook) == "FAIL") throw Error(ErrorKind::failed, "stopped by CLARA_TEST_SWITCH");
}

/// Looked at before any of them is changed: the locks on whole files meet those of QEMU.
void check_free(const SwitchDisk& a, int guest) {
    std::vector<Fd> locks;
    for (const auto& disk : vm_disks(a.pool, a.name)) try {
            locks.push_back(open_disk(guest, disk.substr(disk.rfind('/') + 1), disk_release));
        } catch (Error& e) {
            throw e.in("guest " + a.name + " runs");
        }
}

void apply_all(const SwitchDisk& a, const std::string& snapshot) {
    for (const auto& disk : vm_disks(a.pool, a.name)) {
        apply_tag(disk, snapshot_tag(snapshot));
        if (snapshot == a.snapshot) stop_for_test();
    }
}

/// The present state becomes a snapshot; of one that a killed rollback has left torn, the mark says so.
void keep_now(const SwitchDisk& a, int guest, int folder) {
    Fd kept = open_dir_at(folder, pool::partial(a.kept.name));
    snapshots::copy_spec(guest, kept.get());
    if (auto variables = read_file_at(guest, "nvram.fd", 64 << 20))  // until it stopped they could change
        write_file_at(kept.get(), "nvram.fd", *variables, 0600, Durable::content);
    if (auto whole = read_file_at(guest, mark))
        write_file_at(kept.get(), mark, *whole, 0644, Durable::content);
    snapshots::write_info(kept.get(), a.kept);
    delete_orphans(a.pool, a.name);
    for (const auto& disk : vm_disks(a.pool, a.name)) make_tag(disk, snapshot_tag(a.kept.name));
    snapshots::publish_folder(folder, a.kept.name);
}

/// After `why`. What cannot be put back stays marked, with the kept state beside it.
void put_back(const SwitchDisk& a, const Error& why) {
    try {
        switch_back(a);
    } catch (const Error& e) {
        throw Error(ErrorKind::undo_incomplete, why.message() + "; undo: " + e.message(),
                    "clara-snapshot rollback " + a.name + " " + a.kept.name);
    }
}

}  // namespace

void prepare(const PrepareRollback& a) {
    vm_snapshots::refuse_linked(a.pool, a.name);
    check_tags(a.pool, a.name, a.snapshot);
    Fd folder = snapshots::open_clean(a.pool, a.name);
    Fd partial = snapshots::make_partial(folder.get(), a.kept);
    try {
        vm_snapshots::copy_parts(open_dir(pool::guest(a.pool, a.name)).get(), partial.get());
    } catch (Error& e) {
        remove_tree_at(folder.get(), pool::partial(a.kept));
        rethrow_full(e, a.pool);
    }
}

void switch_disk(const SwitchDisk& a) {
    vm_snapshots::refuse_linked(a.pool, a.name);
    Fd guest = open_dir(pool::guest(a.pool, a.name));
    Fd folder = open_dir(pool::snapshots(a.pool, a.name));
    Fd snapshot = open_dir_at(folder.get(), a.snapshot);
    check_free(a, guest.get());
    try {
        keep_now(a, guest.get(), folder.get());
    } catch (Error& e) {
        vm_snapshots::remove({a.pool, a.name, a.kept.name, a.kind});
        rethrow_full(e, a.pool);
    }
    try {
        if (!exists_at(guest.get(), mark)) write_file_at(guest.get(), mark, a.kept.name);
        apply_all(a, a.snapshot);
        give_parts(snapshot.get(), guest.get());
    } catch (Error& e) {
        put_back(a, e);
        rethrow_full(e, a.pool);
    }
}

void switch_back(const SwitchDisk& a) {
    Fd guest = open_dir(pool::guest(a.pool, a.name));
    Fd kept = open_dir(pool::snapshot(a.pool, a.name, a.kept.name));
    check_free(a, guest.get());
    if (!exists_at(guest.get(), mark)) write_file_at(guest.get(), mark, a.kept.name);
    apply_all(a, a.kept.name);
    give_parts(kept.get(), guest.get());
    vm_snapshots::remove({a.pool, a.name, a.kept.name, a.kind});
}

}  // namespace clara::vm_rollback
