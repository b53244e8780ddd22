// The files of a stopped guest's Linux system, read and changed without mounting its disk and without booting
// it.
#pragma once
#include <map>
#include <memory>
#include <string>
#include <vector>

#include "clara/drivers/disks/disk_export.hpp"
#include "clara/drivers/disks/ext_files.hpp"
#include "clara/drivers/disks/volumes.hpp"
#include "clara/ops/guest_tree.hpp"

namespace clara {

/// What lies on a disk.
struct GuestSystem {
    std::string kind = "unknown";  ///< linux | windows | unknown
    std::string distribution;      ///< ID of os-release, e.g. debian
    std::string name;              ///< PRETTY_NAME of os-release
    std::string obstacle;  ///< why its files cannot be changed, e.g. "its root is on LVM"; empty: they can
};

/// Holds QEMU's lock on the disk. The thread that opened it must outlive it. Changes are whole only after
/// close(); nothing is fsynced before the caller does that.
class GuestDisk : public GuestTree {
  public:
    /// Finds the root file system and those that its fstab mounts from the same disk, and replays their
    /// journals. Error{busy} where the disk is in use; Error{failed} where a file system is damaged.
    GuestDisk(const std::string& file, const std::string& format);
    /// The same of a chain that does not say so itself: the first file takes all changes.
    explicit GuestDisk(std::vector<ChainLink> chain);

    const GuestSystem& system() const { return system_; }
    const std::vector<Volume>& volumes() const { return volumes_; }
    bool boot_code() const { return has_boot_code(export_->path()); }
    /// The disk as a plain file, and the file systems on it that can be changed, by mount point; "" is the
    /// root.
    std::string device() const { return export_->path(); }
    const std::map<std::string, Volume>& parts() const { return parts_; }
    /// Mount points that lie on this disk but cannot be changed: "/var (xfs)".
    const std::vector<std::string>& closed_parts() const { return closed_; }

    std::optional<std::string> read(const std::string& path) const override;
    std::vector<std::string> list(const std::string& path) const override;
    bool exists(const std::string& path) const override;
    std::optional<std::string> link_target(const std::string& path) const override;
    std::optional<FileStat> stat(const std::string& path) const;
    /// The last bytes of a file; nullopt where there is none, or it lies in a closed part.
    std::optional<std::string> read_end(const std::string& path, std::size_t last) const;

    // As ExtFiles; Error{refused} where there is an obstacle, or the path lies in a closed part.
    void write(const std::string& path, std::string_view content, const FileAttributes& attributes);
    void write_from(const std::string& path, int source, const FileAttributes& attributes);
    void make_folder(const std::string& path, const FileAttributes& attributes);
    void make_link(const std::string& path, const std::string& target);
    void remove(const std::string& path);

    void close();

  private:
    /// A file system and a path in it; null for a closed part.
    struct Place {
        ExtFiles* files;
        std::string path;
    };
    Place place(const std::string& path) const;
    Place open_place(const std::string& path) const;
    using Wanted = std::map<std::string, const Volume*>;  ///< by mount point
    ExtFiles look_at(const Volume& volume) const;
    const Volume* find_root() const;
    Wanted find_mounts(const Volume& root);
    void replay_journals(const Wanted& wanted);

    std::vector<ChainLink> chain_;
    std::unique_ptr<DiskExport> export_;
    std::vector<Volume> volumes_;
    GuestSystem system_;
    std::vector<std::string> closed_;
    std::map<std::string, Volume> parts_;
    std::map<std::string, std::unique_ptr<ExtFiles>> mounts_;  ///< by mount point; null: closed
};

}  // namespace clara
