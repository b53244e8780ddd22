#include "clara/drivers/points/examine.hpp"

#include <ext2fs/ext2_fs.h>
#include <fcntl.h>
#include <fmt/format.h>
#include <unistd.h>

#include <cerrno>
#include <chrono>

#include "clara/base/error.hpp"
#include "clara/base/handle.hpp"
#include "clara/base/process.hpp"
#include "clara/drivers/disks/volumes.hpp"
#include "clara/drivers/points/seen_disk.hpp"
#include "clara/drivers/points/shown_disk.hpp"
#include "clara/drivers/storage/ext4_check.hpp"

namespace clara::points {
namespace {

constexpr off_t superblock_at = 1024;  // bytes; Documentation/filesystems/ext4/super.rst

/// What the kernel has noted when it met an error; "" where it met none.
std::string noted_error(const std::string& device) {
    const Fd file(::open(device.c_str(), O_RDONLY | O_CLOEXEC));
    if (!file) throw system_error("cannot open " + device, errno);
    ext2_super_block super{};
    if (::pread(file.get(), &super, sizeof super, superblock_at) != sizeof super)
        return "it has no superblock";
    if (super.s_magic != EXT2_SUPER_MAGIC) return "its superblock is destroyed";
    if (super.s_error_count > 0) return fmt::format("the kernel met {} errors in it", super.s_error_count);
    if (super.s_state & EXT2_ERROR_FS) return "it is marked as having errors";
    return {};
}

std::vector<std::string> examine_ext(const std::string& device, const std::string& what) {
    std::vector<std::string> reasons;
    if (auto noted = noted_error(device); !noted.empty()) reasons.push_back(what + noted);
    try {
        settle_ext4(device, "");
    } catch (const Error& e) {
        reasons.push_back(what + e.message());
    }
    return reasons;
}

}  // namespace

std::vector<std::string> examine_container(const std::string& disk) {
    return examine_ext(disk, "");
}

std::vector<std::string> examine_machine(const std::string& disk) {
    SeenDisk seen(disk);
    const std::vector<Volume> volumes = find_ext_volumes(ShownDisk(seen).path());
    std::vector<std::string> reasons;
    for (const auto& volume : volumes) {
        const ShownDisk part(seen, volume.offset, volume.size);
        const auto found = examine_ext(
            part.path(), volume.number ? fmt::format("partition {}: ", volume.number) : std::string());
        reasons.insert(reasons.end(), found.begin(), found.end());
    }
    return reasons;
}

}  // namespace clara::points
