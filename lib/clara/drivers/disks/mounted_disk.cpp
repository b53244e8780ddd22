#include "clara/drivers/disks/mounted_disk.hpp"

#include <fcntl.h>
#include <fmt/format.h>
#include <linux/loop.h>
#include <sys/ioctl.h>
#include <sys/mount.h>
#include <sys/stat.h>

#include <cerrno>
#include <chrono>
#include <cstring>
#include <map>
#include <thread>

#include "clara/base/error.hpp"
#include "clara/base/log.hpp"
#include "clara/drivers/disks/mounted_tree.hpp"
#include "clara/drivers/disks/qcow2_header.hpp"
#include "clara/drivers/disks/volumes.hpp"
#include "clara/drivers/storage/mount.hpp"
#include "clara/ops/fstab.hpp"

namespace clara {
namespace {

using namespace std::chrono_literals;

constexpr auto release_wait = 10s;
constexpr const char* loop_name = "clara-backup files";

/// How the kernel mounts what libblkid calls so.
struct Mounting {
    const char* type;
    MountOptions options;    ///< beside "ro"
    MountOptions no_replay;  ///< where its journal cannot be replayed
    bool root = true;        ///< a Linux system may stand on it
};

/// The disk is a stranger's: its superblock may ask for a panic of this host (errors=panic).
const std::map<std::string, Mounting> mountings{
    {"ext2", {"ext4", {{"errors", "remount-ro"}}, {{"noload", ""}}}},
    {"ext3", {"ext4", {{"errors", "remount-ro"}}, {{"noload", ""}}}},
    {"ext4", {"ext4", {{"errors", "remount-ro"}}, {{"noload", ""}}}},
    {"xfs", {"xfs", {{"nouuid", ""}}, {{"norecovery", ""}}}},  // two points have one UUID
    {"btrfs", {"btrfs", {}, {{"rescue", "nologreplay"}}}},
    {"f2fs", {"f2fs", {}, {{"norecovery", ""}}}},
    {"vfat", {"vfat", {}, {}, false}},
    {"exfat", {"exfat", {}, {}, false}},
    {"ntfs", {"ntfs3", {}, {}, false}},
    {"iso9660", {"iso9660", {}, {}, false}},
    {"udf", {"udf", {}, {}, false}},
    {"erofs", {"erofs", {}, {}}},
    {"squashfs", {"squashfs", {}, {}}}};

// What the installers of openSUSE, Ubuntu, Debian and Fedora call it.
constexpr const char* root_subvolumes[] = {"@", "@rootfs", "root"};

std::string name_of(const Volume& volume) {
    return volume.number ? "partition " + std::to_string(volume.number) : "the disk";
}

std::uint64_t size_of(const std::vector<ChainLink>& disk) {
    if (disk.front().format != "qcow2") throw Error(ErrorKind::refused, disk.front().path + " is no qcow2");
    return read_qcow2_header(disk.front().path).size;
}

/// For is_mounted_disk(), and for people: losetup shows no better name of it.
void give_name(const Loop& loop) {
    loop_info64 info{};
    if (::ioctl(loop.fd.get(), LOOP_GET_STATUS64, &info) != 0)
        throw system_error("cannot examine " + loop.path, errno);
    std::strcpy(reinterpret_cast<char*>(info.lo_file_name), loop_name);
    if (::ioctl(loop.fd.get(), LOOP_SET_STATUS64, &info) != 0)
        throw system_error("cannot name " + loop.path, errno);
}

/// The device may be somebody else's by now.
bool is_loop_of(const std::string& device, const std::pair<dev_t, ino_t>& file) {
    const Fd loop(::open(device.c_str(), O_RDONLY | O_CLOEXEC));
    loop_info64 info{};
    return loop && ::ioctl(loop.get(), LOOP_GET_STATUS64, &info) == 0 && info.lo_device == file.first &&
           info.lo_inode == file.second;
}

}  // namespace

MountedDisk::MountedDisk(const std::vector<ChainLink>& disk)
    : scratch_(size_of(disk)), export_(scratch_.above(disk)), volumes_(find_volumes(export_.path())) {
    file_ = Fd(::open(export_.path().c_str(), O_RDWR | O_CLOEXEC));
    struct stat st {};
    if (!file_ || ::fstat(file_.get(), &st) != 0) throw system_error("cannot open the disk", errno);
    identity_ = {st.st_dev, st.st_ino};
}

MountedDisk::~MountedDisk() {
    file_.reset();
    export_.abandon();
}

Fd MountedDisk::mount(const Volume& volume) {
    return mount_as(volume, volume.type, "");
}

Fd MountedDisk::mount_as(const Volume& volume, const std::string& type, const std::string& subvolume) {
    const auto how = mountings.find(type);
    if (how == mountings.end())
        throw Error(ErrorKind::refused,
                    name_of(volume) + (type.empty() ? " has no file system that is known"
                                                    : " has no file system that can be mounted but " + type),
                    "clara-backup files list NAME --disks shows what there is");
    const Loop loop = attach_loop(file_.get(), LoopMode::read_write, volume.offset, volume.size);
    loops_.insert(loop.path);
    give_name(loop);
    MountOptions options{{"ro", ""}};
    options.insert(options.end(), how->second.options.begin(), how->second.options.end());
    if (!subvolume.empty()) options.emplace_back("subvol", subvolume);
    const unsigned attributes = MOUNT_ATTR_RDONLY | MOUNT_ATTR_NOSUID | MOUNT_ATTR_NODEV | MOUNT_ATTR_NOEXEC;
    try {
        return new_mount(how->second.type, loop.path, options, attributes);
    } catch (const Error& e) {
        if (how->second.no_replay.empty() || !subvolume.empty())
            throw Error(ErrorKind::failed, name_of(volume) + ": " + e.message());
        options.insert(options.end(), how->second.no_replay.begin(), how->second.no_replay.end());
        Fd mount = new_mount(how->second.type, loop.path, options, attributes);
        log::warn("{}: its journal could not be replayed ({}): what was written last may be missing",
                  name_of(volume), e.message());
        return mount;
    }
}

MountedDisk::Root MountedDisk::mount_root() {
    Root best;
    int best_points = -1;
    auto consider = [&](const Volume& volume, Fd mount) {
        const int points = root_points(MountedTree(mount.get()), volume, volumes_);
        if (points > best_points) best_points = points, best = {&volume, std::move(mount)};
        return points >= 0;
    };
    for (const auto& volume : volumes_) {
        const auto how = mountings.find(volume.type);
        if (how == mountings.end() || !how->second.root) continue;
        try {
            Fd top = mount(volume);
            const bool has_subvolumes = volume.type == "btrfs";
            const MountedTree files(top.get());
            std::vector<std::string> wanted;
            for (const char* name : root_subvolumes)
                if (has_subvolumes && !files.list(std::string("/") + name + "/etc").empty())
                    wanted.push_back(name);
            if (consider(volume, std::move(top))) continue;
            for (const auto& name : wanted) consider(volume, mount_as(volume, volume.type, name));
        } catch (const Error& e) {
            log::warn("{}", e.message());  // another one may be the root
        }
    }
    return best;
}

bool is_mounted_disk(const std::string& device) {
    const Fd loop(::open(device.c_str(), O_RDONLY | O_CLOEXEC));
    loop_info64 info{};
    return loop && ::ioctl(loop.get(), LOOP_GET_STATUS64, &info) == 0 &&
           std::strcmp(reinterpret_cast<const char*>(info.lo_file_name), loop_name) == 0;
}

void MountedDisk::leave_host() {
    export_.leave_host();
    file_.reset();
}

void MountedDisk::wait_released() {
    const auto deadline = std::chrono::steady_clock::now() + release_wait;
    for (const auto& loop : loops_)
        while (is_loop_of(loop, identity_) && std::chrono::steady_clock::now() < deadline)
            std::this_thread::sleep_for(5ms);
}

}  // namespace clara
