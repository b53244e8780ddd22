#include "clara/drivers/storage/ext4.hpp"

#include <fcntl.h>
#include <sys/random.h>
#include <sys/stat.h>

#include <cerrno>
#include <cstdio>
#include <optional>

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

/// metadata_csum_seed: the UUID can change without new checksums. assume_storage_prezeroed: the file is a
/// hole, so neither mke2fs nor the kernel's lazy initialisation writes the inode tables (it would fill the
/// hole). -G 256 keeps the metadata together, in few extents.
void format(const std::string& path, std::uint64_t size) {
    const bool small = size <= small_disk;
    run_ok({"/sbin/mke2fs", "-q", "-F", "-t", "ext4", "-m", "0", "-b", small ? "1024" : "4096", "-J",
            small ? "size=1" : "size=16", "-G", "256", "-O", "metadata_csum_seed,^resize_inode", "-E",
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
    const std::string partial = "." + name + ".partial";  // one of a killed run is overwritten
    Fd file(
        ::openat(cache.get(), partial.c_str(), O_RDWR | O_CREAT | O_TRUNC | O_CLOEXEC | O_NOFOLLOW, 0600));
    if (!file || ::ftruncate(file.get(), static_cast<off_t>(size)) != 0)
        throw system_error("cannot make a disk of " + size_text(size) + " in " + cache_dir, errno);
    format(cache_dir + "/" + partial, size);
    if (::fsync(file.get()) != 0 ||
        ::renameat(cache.get(), partial.c_str(), cache.get(), name.c_str()) != 0 || ::fsync(cache.get()) != 0)
        throw system_error("cannot keep " + cache_dir + "/" + name, errno);
    return file;
}

void check(errcode_t code, const char* what) {
    if (code)
        throw Error(ErrorKind::failed,
                    std::string("cannot ") + what + " a blank disk: " + error_message(code));
}

void give_uuid(int disk) {
    ext2_filsys fs = nullptr;
    const std::string path = "/proc/self/fd/" + std::to_string(disk);
    check(ext2fs_open(path.c_str(), EXT2_FLAG_RW | EXT2_FLAG_64BITS, 0, 0, unix_io_manager, &fs), "open");
    auto& uuid = fs->super->s_uuid;
    if (::getrandom(uuid, sizeof uuid, 0) != static_cast<ssize_t>(sizeof uuid)) {
        int error = errno;
        ext2fs_free(fs);
        throw system_error("cannot get random numbers", error);
    }
    uuid[6] = static_cast<std::uint8_t>((uuid[6] & 0x0f) | 0x40);  // RFC 4122, version 4 (random)
    uuid[8] = static_cast<std::uint8_t>((uuid[8] & 0x3f) | 0x80);
    ext2fs_mark_super_dirty(fs);
    errcode_t code = ext2fs_close2(fs, EXT2_FLAG_FLUSH_NO_SYNC);  // frees fs also where it fails to write
    check(code, "write the UUID of");
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
