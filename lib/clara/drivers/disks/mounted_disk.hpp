// A disk's file systems as the kernel reads them: any it knows, where GuestDisk is of ext alone.
#pragma once
#include <sys/types.h>

#include <set>
#include <string>
#include <utility>
#include <vector>

#include "clara/drivers/disks/disk_export.hpp"
#include "clara/drivers/disks/scratch_disk.hpp"
#include "clara/ops/volumes.hpp"

namespace clara {

/// The disk is only read. Journals are replayed into a scratch file without a name, so that what is seen is
/// what the guest would find. A kill of the thread that made this leaves no process, mount or loop device.
class MountedDisk {
  public:
    explicit MountedDisk(const std::vector<ChainLink>& disk);
    /// All mounts have to be closed before. What is in the scratch file goes with it.
    ~MountedDisk();
    MountedDisk(const MountedDisk&) = delete;
    MountedDisk& operator=(const MountedDisk&) = delete;

    const std::vector<Volume>& volumes() const { return volumes_; }

    /// Read-only, without devices, programs and set-id bits; attached nowhere. It lives no longer than this.
    /// Error{refused} where it is no file system that this kernel knows.
    Fd mount(const Volume& volume);

    /// The volume that is a system's root, mounted. Of btrfs also in one of the subvolumes that installers
    /// make it. No descriptor where there is none.
    struct Root {
        const Volume* volume = nullptr;
        Fd mount;
    };
    Root mount_root();

    /// For one that lives long: see DiskExport. Nothing can be mounted afterwards.
    void leave_host();
    /// Waits until the last mount, which is being ended, has let go of the disk.
    void wait_released();

  private:
    Fd mount_as(const Volume& volume, const std::string& type, const std::string& subvolume);

    ScratchDisk scratch_;
    DiskExport export_;
    Fd file_;  ///< the disk as a plain file
    std::vector<Volume> volumes_;
    std::pair<dev_t, ino_t> identity_;
    std::set<std::string> loops_;  ///< e.g. /dev/loop3
};

/// The loop device belongs to one of these, in whatever process.
bool is_mounted_disk(const std::string& device);

}  // namespace clara
