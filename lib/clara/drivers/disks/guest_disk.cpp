#include "clara/drivers/disks/guest_disk.hpp"

#include <algorithm>
#include <set>
#include <sstream>

#include "clara/base/error.hpp"
#include "clara/ops/fstab.hpp"

namespace clara {
namespace {

/// e.g. PRETTY_NAME="Debian GNU/Linux 12 (bookworm)"
std::string release_value(const std::string& text, const std::string& key) {
    std::istringstream lines(text);
    for (std::string line; std::getline(lines, line);) {
        if (!line.starts_with(key + "=")) continue;
        std::string value = line.substr(key.size() + 1);
        std::erase(value, '"');
        return value;
    }
    return {};
}

class ExtTree : public GuestTree {
  public:
    explicit ExtTree(ExtFiles files) : files_(std::move(files)) {}
    std::optional<std::string> read(const std::string& path) const override { return files_.read(path); }
    std::vector<std::string> list(const std::string& path) const override { return files_.list(path); }
    bool exists(const std::string& path) const override { return files_.stat(path).has_value(); }
    std::optional<std::string> link_target(const std::string& path) const override {
        return files_.link_target(path);
    }

  private:
    ExtFiles files_;
};

/// What a disk without a root that can be changed is, by what its partitions hold.
GuestSystem guess(const std::vector<Volume>& volumes) {
    static const std::map<std::string, std::string> linux_types{
        {"LVM2_member", "its root is on LVM"},
        {"xfs", "its root is XFS"},
        {"btrfs", "its root is btrfs"},
        {"crypto_LUKS", "its root is encrypted (LUKS)"},
        {"linux_raid_member", "its root is on RAID"},
        {"zfs_member", "its root is ZFS"},
        {"f2fs", "its root is F2FS"},
        {"bcachefs", "its root is bcachefs"},
        {"erofs", "its root is EROFS"},
        {"squashfs", "its root is squashfs"}};
    for (const auto& volume : volumes)
        if (auto found = linux_types.find(volume.type); found != linux_types.end())
            return {.kind = "linux", .obstacle = found->second};
    for (const auto& volume : volumes)
        if (volume.type == "ntfs" || volume.type == "BitLocker")
            return {.kind = "windows", .obstacle = "it is a Windows system (" + volume.type + ")"};
    return {.obstacle = "no root file system was found on it"};
}

}  // namespace

GuestDisk::GuestDisk(const std::string& file, const std::string& format)
    : GuestDisk(disk_chain(file, format)) {}

GuestDisk::GuestDisk(std::vector<ChainLink> chain)
    : chain_(std::move(chain)),
      export_(std::make_unique<DiskExport>(chain_)),
      volumes_(find_volumes(export_->path())) {
    const Volume* root = find_root();
    if (!root) {
        system_ = guess(volumes_);
        return;
    }
    const Wanted wanted = find_mounts(*root);
    replay_journals(wanted);
    for (const auto& [target, volume] : wanted)
        if (volume) parts_[target] = *volume;
    for (const auto& [target, volume] : wanted)
        mounts_[target] =
            volume ? std::make_unique<ExtFiles>(export_->path(), *volume, ExtFiles::Access::write) : nullptr;
    const std::string release = read("/etc/os-release").value_or("");
    system_ = {"linux", release_value(release, "ID"), release_value(release, "PRETTY_NAME"), ""};
}

ExtFiles GuestDisk::look_at(const Volume& volume) const {
    return {export_->path(), volume, ExtFiles::Access::read};
}

const Volume* GuestDisk::find_root() const {
    const Volume* best = nullptr;
    int best_points = -1;
    for (const auto& volume : volumes_) {
        if (!volume.editable()) continue;
        const int points = root_points(ExtTree(look_at(volume)), volume, volumes_);
        if (points > best_points) best = &volume, best_points = points;
    }
    return best;
}

GuestDisk::Wanted GuestDisk::find_mounts(const Volume& root) {
    Wanted wanted{{"", &root}};
    std::set<const Volume*> taken{&root};  // twice open for writing would ruin it
    for (auto& entry : parse_fstab(look_at(root).read("/etc/fstab").value_or(""))) {
        const Volume* volume = volume_of(entry.source, volumes_);
        while (entry.target.ends_with('/')) entry.target.pop_back();
        if (!volume || !entry.target.starts_with('/') || !taken.insert(volume).second) continue;
        wanted[entry.target] = volume->editable() ? volume : nullptr;
        if (!volume->editable()) closed_.push_back(entry.target + " (" + volume->type + ")");
    }
    return wanted;
}

void GuestDisk::replay_journals(const Wanted& wanted) {
    std::vector<const Volume*> unclean;
    for (const auto& [target, volume] : wanted)
        if (volume && look_at(*volume).unclean()) unclean.push_back(volume);
    if (unclean.empty()) return;
    export_->close();
    for (const Volume* volume : unclean) {
        DiskExport part(chain_, *volume);
        try {
            repair_ext(part.path());
        } catch (Error& e) {
            throw e.in(volume->number ? "partition " + std::to_string(volume->number) : chain_.front().path);
        }
        part.close();
    }
    export_ = std::make_unique<DiskExport>(chain_);
}

GuestDisk::Place GuestDisk::place(const std::string& path) const {
    // The longest mount point that the path lies below: "/boot/efi" before "/boot" before "".
    for (auto mount = mounts_.rbegin(); mount != mounts_.rend(); ++mount) {
        const std::string& target = mount->first;
        if (path != target && !path.starts_with(target + "/")) continue;
        std::string rest = path.substr(target.size());
        return {mount->second.get(), rest.empty() ? "/" : rest};
    }
    return {nullptr, path};
}

GuestDisk::Place GuestDisk::open_place(const std::string& path) const {
    if (!system_.obstacle.empty())
        throw Error(ErrorKind::refused, "its files cannot be changed: " + system_.obstacle);
    Place found = place(path);
    if (!found.files)
        throw Error(ErrorKind::refused, path + " lies on a file system of the guest that cannot be changed");
    return found;
}

std::optional<std::string> GuestDisk::read(const std::string& path) const {
    const Place found = place(path);
    return found.files ? found.files->read(found.path) : std::nullopt;
}

std::optional<std::string> GuestDisk::read_end(const std::string& path, std::size_t last) const {
    const Place found = place(path);
    return found.files ? found.files->read_end(found.path, last) : std::nullopt;
}

std::vector<std::string> GuestDisk::list(const std::string& path) const {
    const Place found = place(path);
    return found.files ? found.files->list(found.path) : std::vector<std::string>{};
}

bool GuestDisk::exists(const std::string& path) const {
    return stat(path).has_value();
}

std::optional<FileStat> GuestDisk::stat(const std::string& path) const {
    const Place found = place(path);
    return found.files ? found.files->stat(found.path) : std::nullopt;
}

std::optional<std::string> GuestDisk::link_target(const std::string& path) const {
    const Place found = place(path);
    return found.files ? found.files->link_target(found.path) : std::nullopt;
}

void GuestDisk::write(const std::string& path, std::string_view content, const FileAttributes& attributes) {
    const Place to = open_place(path);
    to.files->write(to.path, content, attributes);
}

void GuestDisk::write_from(const std::string& path, int source, const FileAttributes& attributes) {
    const Place to = open_place(path);
    to.files->write_from(to.path, source, attributes);
}

void GuestDisk::make_folder(const std::string& path, const FileAttributes& attributes) {
    const Place to = open_place(path);
    to.files->make_folder(to.path, attributes);
}

void GuestDisk::make_link(const std::string& path, const std::string& target) {
    const Place to = open_place(path);
    to.files->make_link(to.path, target);
}

void GuestDisk::remove(const std::string& path) {
    const Place at = open_place(path);
    at.files->remove(at.path);
}

void GuestDisk::close() {
    for (auto& [target, files] : mounts_)
        if (files) files->close();
    mounts_.clear();
    export_->close();
}

}  // namespace clara
