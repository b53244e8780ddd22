#include "grow.hpp"

#include <fcntl.h>
#include <linux/blkpg.h>
#include <linux/magic.h>
#include <sys/ioctl.h>
#include <sys/stat.h>
#include <sys/sysmacros.h>
#include <sys/vfs.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <climits>
#include <cstdint>
#include <cstdlib>
#include <cstring>
#include <stdexcept>
#include <string>

#include "clara/base/handle.hpp"
#include "log.hpp"

namespace guest {
namespace {

constexpr std::uint64_t sector = 512;
constexpr std::uint64_t worth_it = (8 << 20) / sector;  // less than what partitioning programs leave free
constexpr std::uint64_t longest = UINT32_MAX;           // sectors that an MBR can tell
constexpr unsigned long resize_fs = _IOW('f', 16, std::uint64_t);  // EXT4_IOC_RESIZE_FS, linux/fs/ext4/ext4.h

[[noreturn]] void fail(const std::string& what) {
    throw std::runtime_error(what + ": " + std::strerror(errno));
}

/// 0 where there is no such file: a disk without partitions, a root that is no disk.
std::uint64_t read_number(const std::string& path) {
    clara::Fd fd(::open(path.c_str(), O_RDONLY | O_CLOEXEC));
    std::array<char, 32> text{};
    if (!fd || ::read(fd.get(), text.data(), text.size() - 1) <= 0) return 0;
    return std::strtoull(text.data(), nullptr, 10);
}

struct Partition {
    std::string disk;  ///< e.g. /dev/vda
    unsigned number;
    std::uint64_t start, size, disk_size;  ///< sectors
};

Partition root_partition() {
    struct stat st {};
    if (::stat("/", &st) != 0) fail("/");
    const std::string block =
        "/sys/dev/block/" + std::to_string(major(st.st_dev)) + ":" + std::to_string(minor(st.st_dev));
    char resolved[PATH_MAX];
    if (!::realpath(block.c_str(), resolved)) fail(block);
    std::string disk = resolved;  // /sys/devices/.../block/vda/vda2
    disk.resize(disk.rfind('/'));
    return {"/dev/" + disk.substr(disk.rfind('/') + 1),
            static_cast<unsigned>(read_number(block + "/partition")), read_number(block + "/start"),
            read_number(block + "/size"), read_number(disk + "/size")};
}

std::uint32_t number_at(const unsigned char* at) {
    return at[0] | at[1] << 8 | at[2] << 16 | static_cast<std::uint32_t>(at[3]) << 24;
}

/// The partition table's entry (16 bytes from 446 on: start at 8, size at 12, in sectors), then the kernel's
/// idea.
void grow_partition(const Partition& root, std::uint64_t size) {
    clara::Fd disk(::open(root.disk.c_str(), O_RDWR | O_CLOEXEC));
    std::array<unsigned char, sector> table{};
    if (!disk || ::pread(disk.get(), table.data(), table.size(), 0) != static_cast<ssize_t>(table.size()))
        fail(root.disk);
    unsigned char* entry = table.data() + 446 + 16 * (root.number - 1);
    const bool known = table[510] == 0x55 && table[511] == 0xaa && entry[4] == 0x83 &&
                       number_at(entry + 8) == root.start && number_at(entry + 12) == root.size;
    if (!known) return say("%s has grown, but its partitions are not ours to change", root.disk.c_str());
    for (unsigned n = root.number; n < 4; ++n)
        if (table[446 + 16 * n + 4] != 0)
            return say("%s has grown, but / is not its last partition", root.disk.c_str());
    for (int byte = 0; byte < 4; ++byte) entry[12 + byte] = static_cast<unsigned char>(size >> 8 * byte);
    if (::pwrite(disk.get(), table.data(), table.size(), 0) != static_cast<ssize_t>(table.size()) ||
        ::fsync(disk.get()) != 0)
        fail(root.disk);
    blkpg_partition change{};
    change.start = static_cast<long long>(root.start * sector);
    change.length = static_cast<long long>(size * sector);
    change.pno = static_cast<int>(root.number);
    blkpg_ioctl_arg order{BLKPG_RESIZE_PARTITION, 0, sizeof change, &change};
    if (::ioctl(disk.get(), BLKPG, &order) != 0) fail(root.disk + ": its last partition");
    say("/ has %d MiB now", static_cast<int>(size * sector >> 20));
}

}  // namespace

void grow_root() {
    struct statfs fs {};
    if (::statfs("/", &fs) != 0 || fs.f_type != EXT4_SUPER_MAGIC) return;
    Partition root = root_partition();
    if (root.number < 1 || root.number > 4) return;
    const std::uint64_t size = std::min(root.disk_size - root.start, longest);
    if (root.disk_size > root.start && size > root.size + worth_it) grow_partition(root, size);
    // Also after a power cut between the two: where nothing is to be done, the kernel does nothing.
    root = root_partition();
    std::uint64_t blocks = root.size * sector / static_cast<std::uint64_t>(fs.f_bsize);
    clara::Fd top(::open("/", O_RDONLY | O_DIRECTORY | O_CLOEXEC));
    if (!top || ::ioctl(top.get(), resize_fs, &blocks) != 0) fail("file system of /");
}

}  // namespace guest
