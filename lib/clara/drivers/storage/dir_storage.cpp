#include "clara/drivers/storage/dir_storage.hpp"

#include <fcntl.h>
#include <fmt/ranges.h>
#include <sys/stat.h>

#include <algorithm>
#include <cerrno>
#include <cstdio>
#include <optional>

#include "clara/base/error.hpp"
#include "clara/base/files.hpp"
#include "clara/base/lock.hpp"
#include "clara/drivers/disks/chain.hpp"
#include "clara/drivers/disks/convert.hpp"
#include "clara/drivers/disks/fill_disk.hpp"
#include "clara/drivers/disks/qemu_img.hpp"
#include "clara/drivers/storage/book.hpp"
#include "clara/drivers/storage/clone.hpp"
#include "clara/drivers/storage/ext4.hpp"
#include "clara/drivers/storage/fetched.hpp"
#include "clara/drivers/storage/fill.hpp"
#include "clara/drivers/storage/folders.hpp"
#include "clara/drivers/storage/guest_folder.hpp"
#include "clara/drivers/storage/layout.hpp"
#include "clara/drivers/storage/mount.hpp"
#include "clara/drivers/storage/rollback.hpp"
#include "clara/drivers/storage/snapshots.hpp"
#include "clara/drivers/storage/vm_rollback.hpp"
#include "clara/drivers/storage/vm_snapshots.hpp"
#include "clara/ops/domain_xml.hpp"

namespace clara {
namespace {

// For the removal of an image beside us: some seconds where it is large.
constexpr std::chrono::seconds image_wait{30};

Fd open_guests(const std::string& pool) {
    make_dirs(pool::guests(pool));
    return open_dir(pool::guests(pool));
}

/// The partial folder of a guest that is being made.
Fd open_partial(const std::string& pool, const std::string& name) {
    return open_dir_at(open_guests(pool).get(), pool::partial(name));
}

void remove_folder(int guests, const std::string& name) {
    if (!exists_at(guests, name)) return;
    const auto disks = claim_disks(open_dir_at(guests, name).get());
    remove_tree_at(guests, name);
}

/// No machine runs on a disk that is being made. What may still write to one is libvirt's copy of another
/// machine for a run that was killed: nobody waits for that.
void remove_unfinished(int guests, const std::string& name) {
    if (!exists_at(guests, name)) return;
    Fd folder = open_dir_at(guests, name);
    for (const auto& file : list_dir(folder.get()))
        if (file.ends_with(".qcow2")) remove_tree_at(folder.get(), file);
    remove_folder(guests, name);
}

/// Other guests' disks may be linked to one of this guest's.
void refuse_linked(const std::string& pool, const std::string& name) {
    for (const auto& file : list_dir(pool::guest(pool, name))) {
        if (!file.ends_with(".qcow2")) continue;
        auto users = users_of(pool, pool::guest(pool, name) + "/" + file);
        std::erase(users, name);
        if (!users.empty())
            throw Error(ErrorKind::refused,
                        fmt::format("{} of {} is what {} stand{} on", file, name, fmt::join(users, ", "),
                                    users.size() == 1 ? "s" : ""),
                        "destroy them first, or give them disks of their own");
    }
}

void make_vm_disks(const MakeDisk& a, int dir) {
    if (a.image.empty()) {
        create_empty(dir, "disk.qcow2", a.size);
    } else if (a.full) {
        const std::string disk = pool::guest(a.pool, pool::partial(a.name)) + "/disk.qcow2";
        convert_disk(pool::image_disk(a.pool, a.image), "qcow2", disk, {.mode = 0600});
        grow_disk(disk, a.size);
    } else {
        create_linked(dir, "disk.qcow2", pool::image_disk_link(a.image), a.size);
    }
    for (std::size_t i = 0; i < a.more.size(); ++i)
        create_empty(dir, domain_file::disk_name(i + 1), a.more[i]);
}

std::string image_file(const GuestSpec& spec) {
    return spec.kind == "kvm" ? pool::image_disk(spec.pool, spec.image) : pool::image(spec.pool, spec.image);
}

}  // namespace

void DirStorage::reserve(const ReserveAddress& a) {
    reserve_in_book(a);
}

void DirStorage::release(const ReleaseAddress& a) {
    release_in_book(a.pool, a.name);
}

void DirStorage::clear_leftover(const ClearLeftover& a) {
    remove_partial(a.pool, a.name);
    Fd guests = open_guests(a.pool);
    remove_folder(guests.get(), pool::removed(a.name));
    if (!exists_at(guests.get(), a.name)) release_in_book(a.pool, a.name);
}

void DirStorage::make_disk(const MakeDisk& a) {
    Fd guests = open_guests(a.pool);
    make_partial(guests.get(), a.name);
    const std::string partial = pool::partial(a.name);
    try {
        Fd dir = open_dir_at(guests.get(), partial);
        if (a.kind == "kvm") {
            make_vm_disks(a, dir.get());
        } else {
            make_dirs(pool::cache(a.pool));
            make_blank_disk(dir.get(), "disk.raw", a.size, pool::cache(a.pool));
        }
    } catch (Error& e) {
        remove_tree_at(guests.get(), partial);
        rethrow_full(e, a.pool);
    }
}

void DirStorage::copy_disks(const CopyDisks& a) {
    make_dirs(pool::guests(a.pool));
    cloning::copy_disks(a);
}

void DirStorage::fetch_disk(const FetchDisk& a) {
    fetched::fetch(a);
}

void DirStorage::drop_fetched(const DropFetched& a) {
    fetched::drop(a.pool, a.name);
}

void DirStorage::give_identity(const GiveIdentity& a) {
    cloning::give_identity(a);
}

void DirStorage::fill_disk(const FillDisk& a) {
    if (a.kind == "kvm") {
        try {
            fill_guest_disk(pool::guest(a.pool, pool::partial(a.name)) + "/disk.qcow2", a);
        } catch (Error& e) {
            rethrow_full(e, a.pool);
        }
        return;
    }
    Fd file = open_disk(open_partial(a.pool, a.name).get());
    Fd image;
    if (!a.image.empty()) {
        image = Fd(::open(pool::image(a.pool, a.image).c_str(), O_RDONLY | O_CLOEXEC));
        if (!image) throw system_error("cannot open image " + a.image, errno);
    }
    try {
        fill_disk_image(file.get(), image.get(), a);
    } catch (Error& e) {
        rethrow_full(e, a.pool);
    }
}

void DirStorage::write_spec(const WriteSpec& a) {
    Fd dir = open_partial(a.spec.pool, a.spec.name);
    std::optional<NamedLock> lock;
    if (!a.spec.image.empty()) {  // a virtual machine may have a disk of its own
        // From here on the guest is a user of its image: a removal beside us comes before or after, not
        // between.
        make_dirs(a.spec.pool + "/locks");
        lock =
            NamedLock::take(pool::image_lock(a.spec.pool, a.spec.image), "making " + a.spec.name, image_wait);
        if (!exists(image_file(a.spec)))
            throw Error(ErrorKind::refused, "image " + a.spec.image + " was removed meanwhile",
                        "clara-image list shows what is there");
    }
    // 0640: placed files are in it, and may hold what not everybody should read.
    write_file_at(dir.get(), "guest.yaml", write_guest(a.spec), 0640, Durable::nothing);
}

void DirStorage::publish(const PublishGuest& a) {
    Fd guests = open_guests(a.pool);
    Fd partial = open_dir_at(guests.get(), pool::partial(a.name));
    sync_files(partial.get());
    fsync_or_throw(partial.get(), a.name);
    if (!rename_new(guests.get(), pool::partial(a.name), a.name)) throw exists_already(a.name);
    try {
        fsync_or_throw(guests.get(), "the folder of guests");
        fsync_or_throw(open_dir(a.pool).get(),
                       "the address book");  // its content was fsynced as it was written
    } catch (...) {
        rename_new(guests.get(), a.name, pool::partial(a.name));  // not published: the undo finds it there
        throw;
    }
}

void DirStorage::remove_guest(const RemoveGuest& a) {
    Fd guests = open_guests(a.pool);
    std::string removed = pool::removed(a.name);
    remove_folder(guests.get(), removed);
    if (!exists_at(guests.get(), a.name)) return;
    refuse_linked(a.pool, a.name);
    std::vector<Fd> disks;
    try {
        disks = claim_disks(open_dir_at(guests.get(), a.name).get());
    } catch (Error& e) {
        throw e.in("guest " + a.name + " runs");
    }
    if (!rename_new(guests.get(), a.name, removed)) throw StaleFacts(removed + " is in the way");
    fsync_or_throw(guests.get(), "the folder of guests");
    remove_tree_at(guests.get(), removed);
}

void DirStorage::remove_partial(const std::string& pool, const std::string& name) {
    remove_unfinished(open_guests(pool).get(), pool::partial(name));
}

std::string DirStorage::make_snapshot(const MakeSnapshot& a) {
    return a.kind == "kvm" ? vm_snapshots::make(a) : snapshots::make(a);
}

void DirStorage::publish_snapshot(const PublishSnapshot& a) {
    a.kind == "kvm" ? vm_snapshots::publish(a) : snapshots::publish(a);
}

void DirStorage::remove_snapshot(const RemoveSnapshot& a) {
    a.kind == "kvm" ? vm_snapshots::remove(a) : snapshots::remove(a);
}

void DirStorage::prepare_rollback(const PrepareRollback& a) {
    a.kind == "kvm" ? vm_rollback::prepare(a) : rollback::prepare(a);
}

void DirStorage::switch_disk(const SwitchDisk& a) {
    a.kind == "kvm" ? vm_rollback::switch_disk(a) : rollback::switch_disk(a);
}

void DirStorage::switch_disk_back(const SwitchDisk& a) {
    a.kind == "kvm" ? vm_rollback::switch_back(a) : rollback::switch_back(a);
}

}  // namespace clara
