// Loop devices and mounts by file descriptor. Nothing here has a name until attach_mount() gives it one, so a
// process that is killed leaves neither a mount nor a loop device.
#pragma once
#include <chrono>
#include <cstdint>
#include <string>
#include <utility>
#include <vector>

#include "clara/base/handle.hpp"

namespace clara {

struct Loop {
    Fd fd;             ///< keep it open until the device is mounted
    std::string path;  ///< e.g. /dev/loop3
};

enum class LoopMode { read_only, read_write, direct };  ///< direct: past the host's page cache, if it can

/// Makes an open file, or `size` bytes of it from `offset` on, a block device. The device shares the open
/// file description, so an OFD lock taken on `file` before lasts until the device is gone: when its last user
/// (a mount, an open) is.
Loop attach_loop(int file, LoopMode mode, std::uint64_t offset = 0, std::uint64_t size = 0);

/// A loop device lets go of its file some milliseconds after its last user, a QEMU after its domain has
/// ended; on a busy host later.
constexpr std::chrono::milliseconds disk_release{3000};

/// Opens a guest's disk for writing and takes its lock: whoever has it is the only writer, on every host of
/// the pool. Waits at most `wait` (for one that was in use before, disk_release); then Error{busy}.
Fd open_disk(int dir, const std::string& name = "disk.raw", std::chrono::milliseconds wait = {});

/// An option without a value is a flag, e.g. {"ro", ""}.
using MountOptions = std::vector<std::pair<std::string, std::string>>;

/// A mount that is attached nowhere: reachable through the descriptor alone, gone when that closes.
/// It is an O_PATH one: open_dir_at(mount, ".") can be fsynced as well.
/// `source` may be empty. Throws with what the kernel says ("overlay: ...").
Fd new_mount(const std::string& type, const std::string& source, const MountOptions& options,
             unsigned attributes = 0);  ///< MOUNT_ATTR_* of sys/mount.h

/// Gives the mount a place; an Fd of open_tree(OPEN_TREE_CLONE) works as well.
void attach_mount(int mount, const std::string& target);

bool is_mount_point(const std::string& path);

/// Unmounts what is topmost at `path`; false where nothing is mounted. Whoever only looks at it (df, a
/// monitoring agent, is_mount_point) keeps it busy for microseconds: tried for 2 s.
bool unmount(const std::string& path);

}  // namespace clara
