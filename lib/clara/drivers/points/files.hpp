// The files of a restore point, as the guest saw them. Nothing of the point is changed.
#pragma once
#include <optional>
#include <string>
#include <vector>

#include "clara/drivers/disks/mounted_disk.hpp"

namespace clara::points {

struct FilesChoice {
    std::string store, guest, point;
    std::string pool;           ///< where a container's image is looked for before the store
    std::string kind;           ///< lxc | kvm
    std::string image;          ///< NAME@DIGEST that a container stands on
    unsigned id_count = 65536;  ///< how many ids an unprivileged container has
    std::string disk;           ///< e.g. disk2.qcow2, as it is; empty: the guest's root
    std::optional<int> partition;
    bool whole = true;  ///< with the other file systems that the root's fstab mounts from the same disk
};

/// disk.qcow2, disk2.qcow2: what lies in the point.
std::vector<std::string> disks_in(const std::string& store, const std::string& guest,
                                  const std::string& point);

/// A disk of a point with all it stands on. Error{refused} where that lies outside the guest's points.
std::vector<ChainLink> point_chain(const std::string& store, const std::string& guest,
                                   const std::string& point, const std::string& disk);

/// Mounted read-only, attached nowhere: gone with this, or with the thread that made it.
class GuestFiles {
  public:
    explicit GuestFiles(const FilesChoice& choice);

    /// The root folder. Its owners are the guest's own ids.
    int root() const { return view_.get(); }
    /// Other file systems that the root's fstab mounts from the same disk: "/boot (partition 2)".
    const std::vector<std::string>& parts() const { return parts_; }

    /// For one that lives long: what is behind the view keeps none of the host's mounts busy.
    void leave_host() { disk_.leave_host(); }
    /// For a view that was given a place and lives on there.
    void let_go() { view_.reset(); }
    /// For after the end of such a view.
    void wait_released() { disk_.wait_released(); }

  private:
    Fd container(const FilesChoice& choice);
    Fd machine(const FilesChoice& choice);
    Fd with_parts(Fd root, const Volume& volume, bool whole);
    const Volume& named(int partition) const;
    const Volume& only() const;

    MountedDisk disk_;
    Fd view_;
    std::vector<std::string> parts_;
};

}  // namespace clara::points
