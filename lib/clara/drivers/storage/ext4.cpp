#include "clara/drivers/storage/ext4.hpp"

#include <fcntl.h>
#include <fmt/format.h>
#include <sys/random.h>
#include <sys/stat.h>

#include <cerrno>
#include <cstddef>
#include <cstdio>
#include <optional>

#include "clara/base/clock.hpp"
#include "clara/base/error.hpp"
#include "clara/base/files.hpp"
#include "clara/base/lock.hpp"
#include "clara/base/process.hpp"
#include "clara/base/units.hpp"
#include "clara/drivers/storage/ext2fs.hpp"

namespace clara {
namespace {

// An IOC writes little, so its file system is made of 1 KiB blocks with the least journal there is (1024
// blocks): 0.24 MiB when new, 0.4 MiB with a guest's files, 1.7 MiB when the journal has gone round. With 4
// KiB blocks the journal alone takes 4 MiB. Disks above this size are for data, not for IOCs.
constexpr std::uint64_t small_disk = 4ULL << 30;

// Spelled out, as each release's mke2fs.conf has its own: Debian 13's orphan_file takes 1 MiB more.
constexpr const char* features =
    "none,has_journal,ext_attr,dir_index,filetype,extent,64bit,flex_bg,sparse_super,large_file,huge_file,"
    "dir_nlink,extra_isize,metadata_csum,metadata_csum_seed";

/// metadata_csum_seed: the UUID can change without new checksums. assume_storage_prezeroed: the file is a
/// hole, so neither mke2fs nor the kernel's lazy initialisation writes the inode tables (it would fill the
/// hole). -G 256 keeps the metadata together, in few extents.
void format(const std::string& path, std::uint64_t size) {
    const bool small = size <= small_disk;
    run_ok({"/sbin/mke2fs", "-q", "-F", "-t", "ext4", "-m", "0", "-b", small ? "1024" : "4096", "-J",
            small ? "size=1" : "size=16", "-G", "256", "-O", features, "-E",
            "assume_storage_prezeroed=1,nodiscard", path});
}

std::optional<Fd> open_cached(int cache, const std::string& name, std::uint64_t size) {
    Fd blank(::openat(cache, name.c_str(), O_RDONLY | O_CLOEXEC | O_NOFOLLOW));
    if (!blank && errno == ENOENT) return std::nullopt;
    struct stat st {};
    if (!blank || ::fstat(blank.get(), &st) != 0) throw system_error("cannot open " + name, errno);
    if (static_cast<std::uint64_t>(st.st_size) != size) return std::nullopt;
    return blank;
}

Fd blank_of(std::uint64_t size, const std::string& cache_dir) {
    make_dirs(cache_dir);
    Fd cache = open_dir(cache_dir);
    const std::string name = "blank-" + std::to_string(size) + ".ext4";
    if (auto blank = open_cached(cache.get(), name, size)) return std::move(*blank);

    auto lock = NamedLock::take(cache_dir + "/lock", "formatting a blank disk", std::chrono::minutes(1));
    if (auto blank = open_cached(cache.get(), name, size)) return std::move(*blank);
    // A killed run's mke2fs may be at work still: it keeps its file, which has a name of its own, to itself.
    for (const auto& old : list_dir(cache.get()))
        if (old.starts_with("." + name)) remove_tree_at(cache.get(), old);
    const std::string partial = fmt::format(".{}.{:016x}.partial", name, system_random()());
    Fd file(::openat(cache.get(), partial.c_str(), O_RDWR | O_CREAT | O_EXCL | O_CLOEXEC | O_NOFOLLOW, 0600));
    if (!file || ::ftruncate(file.get(), static_cast<off_t>(size)) != 0)
        throw system_error("cannot make a disk of " + size_text(size) + " in " + cache_dir, errno);
    format(cache_dir + "/" + partial, size);
    if (::fsync(file.get()) != 0 ||
        ::renameat(cache.get(), partial.c_str(), cache.get(), name.c_str()) != 0 || ::fsync(cache.get()) != 0)
        throw system_error("cannot keep " + cache_dir + "/" + name, errno);
    return file;
}

/// In the first superblock alone: e2fsck does not mind other UUIDs in the backups. ext2fs_open() would fsync
/// the disk before it is filled, which takes longer than all the rest.
void give_uuid(int disk) {
    ext2_super_block super{};
    if (::pread(disk, &super, sizeof super, SUPERBLOCK_OFFSET) != static_cast<ssize_t>(sizeof super))
        throw system_error("cannot read the superblock of a blank disk", errno);
    if (ext2fs_le16_to_cpu(super.s_magic) != EXT2_SUPER_MAGIC)
        throw Error(ErrorKind::failed, "the blank disk in the pool's cache is no ext4",
                    "remove the pool's cache folder");
    if (::getrandom(super.s_uuid, sizeof super.s_uuid, 0) != static_cast<ssize_t>(sizeof super.s_uuid))
        throw system_error("cannot get random numbers", errno);
    super.s_uuid[6] =
        static_cast<std::uint8_t>((super.s_uuid[6] & 0x0f) | 0x40);  // RFC 9562: version 4 (random)
    super.s_uuid[8] = static_cast<std::uint8_t>((super.s_uuid[8] & 0x3f) | 0x80);
    auto bytes = reinterpret_cast<unsigned char*>(&super);
    super.s_checksum =
        ext2fs_cpu_to_le32(ext2fs_crc32c_le(~0U, bytes, offsetof(ext2_super_block, s_checksum)));
    if (::pwrite(disk, &super, sizeof super, SUPERBLOCK_OFFSET) != static_cast<ssize_t>(sizeof super))
        throw system_error("cannot write the superblock of a blank disk", errno);
}

}  // namespace

void make_blank_disk(int dirfd, const std::string& name, std::uint64_t size, const std::string& cache_dir) {
    if (size < least_disk)
        throw Error(ErrorKind::usage, "a disk of " + size_text(size) + " is too small",
                    "the least is " + size_text(least_disk));
    Fd blank = blank_of(size, cache_dir);
    Fd disk(::openat(dirfd, name.c_str(), O_RDWR | O_CREAT | O_EXCL | O_CLOEXEC | O_NOFOLLOW, 0600));
    if (!disk) throw system_error("cannot make " + name, errno);
    try {
        copy_sparse(blank.get(), disk.get());
        give_uuid(disk.get());
    } catch (...) {
        ::unlinkat(dirfd, name.c_str(), 0);
        throw;
    }
}

}  // namespace clara
