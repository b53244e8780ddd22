#include "clara/drivers/storage/clone.hpp"

#include <fcntl.h>
#include <fmt/format.h>
#include <sys/stat.h>

#include <cerrno>
#include <filesystem>
#include <vector>

#include "clara/base/error.hpp"
#include "clara/base/files.hpp"
#include "clara/base/log.hpp"
#include "clara/drivers/disks/convert.hpp"
#include "clara/drivers/disks/disk_hold.hpp"
#include "clara/drivers/disks/foreign.hpp"
#include "clara/drivers/disks/linked.hpp"
#include "clara/drivers/disks/room.hpp"
#include "clara/drivers/storage/fetched.hpp"
#include "clara/drivers/storage/folders.hpp"
#include "clara/drivers/storage/layout.hpp"

namespace clara::cloning {
namespace {

constexpr off_t largest_nvram = 64 << 20;  // bytes; QEMU's largest flash

/// Bytes that a copy will take at most, as far as it can be known: nobody knows the holes of a device.
std::uint64_t needs(const CopyDisks& a, const DiskCopy& disk) {
    if (disk.fetched || disk.overlay) return 0;
    const Trust trust = disk.foreign ? Trust::foreign : Trust::ours;
    if (!disk.image.empty())
        return linked_needs(disk.source, disk.format, pool::image_disk(a.pool, disk.image));
    return is_block_device(disk.source) ? 0 : copy_needs(disk.source, disk.format, trust);
}

/// Tells how far it is, each per cent once.
std::function<void(double)> progress_of(const DiskCopy& disk) {
    return [source = disk.source, last = -1](double percent) mutable {
        if (static_cast<int>(percent) == last) return;
        last = static_cast<int>(percent);
        log::status(fmt::format("copying {}: {} %", source, last));
    };
}

void copy_nvram(const std::string& source, int folder) {
    Fd from(::open(source.c_str(), O_RDONLY | O_NONBLOCK | O_CLOEXEC));
    struct stat st {};
    if (!from || ::fstat(from.get(), &st) != 0) throw system_error("cannot open " + source, errno);
    if (!S_ISREG(st.st_mode) || st.st_size > largest_nvram)
        throw Error(ErrorKind::refused, source + " is no file of UEFI's variables");
    Fd to(::openat(folder, "nvram.fd", O_WRONLY | O_CREAT | O_EXCL | O_NOFOLLOW | O_CLOEXEC, 0600));
    if (!to) throw system_error("cannot make nvram.fd", errno);
    copy_sparse(from.get(), to.get());
}

void copy_disk_files(const CopyDisks& a, int folder, const std::string& path) {
    std::vector<Fd> held;
    for (const auto& disk : a.disks)
        if (!disk.fetched) held.push_back(hold_disk(disk.source));
    std::vector<std::uint64_t> sizes;
    std::uint64_t total = 0;
    for (const auto& disk : a.disks) {
        if (disk.foreign && !disk.fetched) inspect_foreign(disk.source, disk.format);
        sizes.push_back(needs(a, disk));
        total += sizes.back();
    }
    require_room(pool::guests(a.pool), total, "a copy of " + a.from);
    for (std::size_t i = 0; i < a.disks.size(); ++i) {
        const DiskCopy& disk = a.disks[i];
        ConvertOptions options{.rate = a.rate,
                               .check_room = false,
                               .needs = sizes[i],
                               .mode = 0600,
                               .trust = disk.foreign ? Trust::foreign : Trust::ours,
                               .progress = progress_of(disk)};
        const std::string target = path + "/" + disk.file;
        if (disk.fetched)
            fetched::give(a.pool, a.name, folder, disk.file);
        else if (disk.overlay)
            create_linked(folder, disk.file, disk.source, 0);
        else if (!disk.image.empty())
            copy_linked(disk.source, disk.format, target, pool::image_disk_link(disk.image), options);
        else
            convert_disk(disk.source, disk.format, target, options);
    }
}

}  // namespace

void copy_disks(const CopyDisks& a) {
    Fd guests = open_dir(pool::guests(a.pool));
    make_partial(guests.get(), a.name);
    const std::string partial = pool::partial(a.name);
    try {
        Fd folder = open_dir_at(guests.get(), partial);
        if (!a.nvram.empty()) copy_nvram(a.nvram, folder.get());
        if (a.domain.empty()) copy_disk_files(a, folder.get(), pool::guest(a.pool, partial));
    } catch (...) {
        remove_tree_at(guests.get(), partial);
        throw;
    }
}

}  // namespace clara::cloning
