#include "clara/drivers/storage/snapshot_list.hpp"

#include <fcntl.h>
#include <linux/fiemap.h>
#include <linux/fs.h>
#include <linux/magic.h>
#include <sys/ioctl.h>
#include <sys/stat.h>
#include <sys/vfs.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>

#include "clara/base/error.hpp"
#include "clara/base/files.hpp"
#include "clara/drivers/disks/inner_snapshots.hpp"
#include "clara/drivers/storage/layout.hpp"

namespace clara {
namespace {

constexpr std::uint32_t xfs_magic = 0x58465342;  // man statfs

/// Of the disk.raw in a folder; its content is root's alone, this is for everybody.
struct stat examine(int folder) {
    struct stat st {};
    if (::fstatat(folder, "disk.raw", &st, AT_SYMLINK_NOFOLLOW) != 0)
        throw system_error("cannot examine disk.raw", errno);
    return st;
}

struct Guest {
    const std::string &pool, &name;
    bool vm;
};

std::uint64_t taken(const struct stat& st) {
    return static_cast<std::uint64_t>(st.st_blocks) * 512;
}

bool can_share_blocks(int fd) {
    struct statfs fs {};
    if (::fstatfs(fd, &fs) != 0) throw system_error("cannot examine the pool", errno);
    return fs.f_type == BTRFS_SUPER_MAGIC || fs.f_type == xfs_magic;
}

/// Bytes of the file that no other file has too (Documentation/filesystems/fiemap.rst).
std::uint64_t unshared(int folder) {
    Fd disk(::openat(folder, "disk.raw", O_RDONLY | O_NOFOLLOW | O_CLOEXEC));
    if (!disk) throw system_error("cannot open disk.raw", errno);
    constexpr std::uint32_t at_once = 128;
    std::vector<std::uint64_t> room((sizeof(fiemap) + at_once * sizeof(fiemap_extent)) / 8);
    auto* map = reinterpret_cast<fiemap*>(room.data());
    std::uint64_t sum = 0;
    for (std::uint64_t from = 0;;) {
        std::fill(room.begin(), room.end(), 0);
        map->fm_start = from;
        map->fm_length = FIEMAP_MAX_OFFSET - from;
        map->fm_extent_count = at_once;
        if (::ioctl(disk.get(), FS_IOC_FIEMAP, map) != 0) throw system_error("cannot map disk.raw", errno);
        for (std::uint32_t i = 0; i < map->fm_mapped_extents; ++i) {
            const fiemap_extent& extent = map->fm_extents[i];
            if (!(extent.fe_flags & FIEMAP_EXTENT_SHARED)) sum += extent.fe_length;
            if (extent.fe_flags & FIEMAP_EXTENT_LAST) return sum;
            from = extent.fe_logical + extent.fe_length;
        }
        if (map->fm_mapped_extents == 0) return sum;
    }
}

/// When a snapshot was written, ns: of two within one second it says which came first.
std::int64_t written(int folder, const std::string& name) {
    struct stat st {};
    if (::fstatat(folder, (name + "/snapshot.yaml").c_str(), &st, AT_SYMLINK_NOFOLLOW) != 0) return 0;
    return st.st_mtim.tv_sec * std::int64_t{1000000000} + st.st_mtim.tv_nsec;
}

/// Why a virtual machine cannot go back to it; empty where it can, or where we may not look at its disks.
std::string vm_problem(const std::string& pool, const std::string& guest, int dir, const std::string& name) {
    if (exists_at(dir, pool::unfinished_rollback))
        return "it was made of a rollback that was killed half-way";
    for (const auto& disk : vm_disks(pool, guest)) {
        if (::access(disk.c_str(), R_OK) != 0 && errno == EACCES) return {};
        if (!has_tag(disk, snapshot_tag(name))) return disk.substr(disk.rfind('/') + 1) + " does not have it";
    }
    return {};
}

SnapshotFact read_one(int folder, const std::string& name, bool shares, const Guest& guest) {
    SnapshotFact fact;
    fact.info.name = name;
    try {
        Fd dir = open_dir_at(folder, name);
        auto text = read_file_at(dir.get(), "snapshot.yaml", 1 << 16);
        if (!text) throw Error(ErrorKind::failed, "snapshot.yaml is missing");
        SnapshotInfo info = read_snapshot_info(*text, name + "/snapshot.yaml");
        if (info.name != name) throw Error(ErrorKind::failed, "snapshot.yaml is that of " + info.name);
        if (guest.vm) {
            fact.problem = vm_problem(guest.pool, guest.name, dir.get(), name);
            fact.info = info;
            return fact;
        }
        const struct stat st = examine(dir.get());
        // An interrupted rollback's is still the guest's own disk.
        fact.exclusive = st.st_nlink > 1 ? 0 : shares ? unshared(dir.get()) : taken(st);
        fact.info = info;
    } catch (const Error& e) {
        fact.problem = e.message();
    }
    return fact;
}

}  // namespace

DiskFact read_disk_fact(const std::string& pool, const std::string& guest) {
    DiskFact disk;
    const std::string place = pool::guest(pool, guest);
    if (!exists(place)) return disk;
    Fd folder = open_dir(place);
    disk.shares = can_share_blocks(folder.get());
    if (exists_at(folder.get(), "disk.raw")) disk.taken = taken(examine(folder.get()));
    if (!exists_at(folder.get(), "snapshots")) return disk;
    const bool vm = exists_at(folder.get(), "disk.qcow2");
    Fd snapshots = open_dir_at(folder.get(), "snapshots");
    std::vector<std::pair<std::int64_t, std::string>> names;
    for (const auto& name : list_dir(snapshots.get()))
        if (name[0] != '.') names.emplace_back(written(snapshots.get(), name), name);
    std::sort(names.begin(), names.end());
    for (const auto& [when, name] : names)
        disk.snapshots.push_back(read_one(snapshots.get(), name, disk.shares, {pool, guest, vm}));
    std::stable_sort(disk.snapshots.begin(), disk.snapshots.end(),
                     [](const SnapshotFact& a, const SnapshotFact& b) { return a.info.time < b.info.time; });
    return disk;
}

GuestSpec load_snapshot_spec(const std::string& pool, const std::string& guest, const std::string& snapshot) {
    const std::string path = pool::snapshot(pool, guest, snapshot) + "/guest.yaml";
    auto text = read_file(path);
    if (!text) throw Error(ErrorKind::failed, path + " is missing");
    return read_guest(*text, path);
}

std::string load_snapshot_domain(const std::string& pool, const std::string& guest,
                                 const std::string& snapshot) {
    return read_file(pool::snapshot(pool, guest, snapshot) + "/domain.xml").value_or("");
}

}  // namespace clara
