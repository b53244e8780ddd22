// Disks are found by what is on them: a copy's have other names than those of the hardware it came from.
#include <algorithm>
#include <charconv>
#include <functional>
#include <optional>

#include "clara/ops/fstab.hpp"
#include "clara/ops/identity/parts.hpp"
#include "clara/ops/identity/text.hpp"

namespace clara::identity {
namespace {

/// /dev/sda2, /dev/nvme0n1p2, /dev/disk/by-id/ata-X-part2: a partition, called by the place of its disk.
struct PlaceName {
    std::string disk;  ///< /dev/sda, /dev/nvme0n1, /dev/disk/by-id/ata-X
    int partition = 0;
};

std::optional<PlaceName> place_name(const std::string& device) {
    const auto digits = device.find_last_not_of("0123456789") + 1;
    PlaceName name{device.substr(0, digits)};
    const char* end = device.data() + device.size();
    if (digits < device.size() &&
        std::from_chars(device.data() + digits, end, name.partition).ec != std::errc())
        return std::nullopt;
    auto cut = [&](const std::string& suffix) {
        const bool there = name.disk.ends_with(suffix);
        if (there) name.disk.resize(name.disk.size() - suffix.size());
        return there;
    };
    if (device.starts_with("/dev/disk/by-id/") || device.starts_with("/dev/disk/by-path/"))
        return cut("-part") ? std::optional(name) : std::nullopt;
    if (device.starts_with("/dev/nvme") || device.starts_with("/dev/mmcblk"))
        return cut("p") ? std::optional(name) : std::nullopt;
    for (const std::string kind : {"/dev/sd", "/dev/vd", "/dev/hd", "/dev/xvd"})
        if (name.disk.starts_with(kind) && name.disk.size() > kind.size()) return name;
    return std::nullopt;
}

class Disks {
  public:
    Disks(const GuestTree& tree, const std::vector<Volume>& volumes, IdentityPlan& plan)
        : tree_(tree), volumes_(volumes), plan_(plan) {
        for (const auto& entry : parse_fstab(tree.read("/etc/fstab").value_or("")))
            if (auto name = place_name(entry.source); name && entry.target == "/") root_disk_ = name->disk;
    }

    void all() {
        edit("/etc/fstab", [&](std::string& line) { field(line, 0, "/etc/fstab"); });
        edit("/etc/crypttab", [&](std::string& line) { field(line, 1, "/etc/crypttab"); });
        for (const auto& file : boot_files(tree_)) {
            const bool initramfs = has_initramfs(file.path);
            edit(file.path, [&](std::string& line) {
                if (file.has_command_line(line)) words(line, file.path, initramfs);
            });
        }
        edit("/etc/kernel/cmdline", [&](std::string& line) { words(line, "/etc/kernel/cmdline", true); });
        edit("/etc/default/grub", [&](std::string& line) { grub_default(line); });
        for (const auto& name : tree_.list("/etc/initramfs-tools/conf.d")) {
            const std::string path = "/etc/initramfs-tools/conf.d/" + name;
            edit(path, [&](std::string& line) {
                if (line.starts_with("RESUME=")) words(line, path, true);
            });
        }
    }

  private:
    void edit(const std::string& path, const std::function<void(std::string&)>& change) {
        const auto text = plan_.text(tree_, path);
        if (!text) return;
        auto lines = lines_of(*text);
        for (auto& line : lines)
            if (const std::string bare = trimmed(line); !bare.empty() && bare[0] != '#') change(line);
        if (std::string changed = join_lines(lines); changed != join_lines(lines_of(*text)))
            plan_.write(path, std::move(changed));
    }

    /// A word of a line that names a device by its place.
    void field(std::string& line, std::size_t number, const std::string& path) {
        std::size_t begin = line.find_first_not_of(" \t"), end = std::string::npos;
        for (;; --number) {
            end = std::min(line.find_first_of(" \t", begin), line.size());
            if (number == 0) break;
            begin = line.find_first_not_of(" \t", end);
            if (begin == std::string::npos) return;
        }
        if (auto name = lasting_name(line.substr(begin, end - begin), true, path))
            line.replace(begin, end - begin, *name);
    }

    /// root=DEVICE and the like, wherever they stand in the line.
    void words(std::string& line, const std::string& path, bool initramfs) {
        constexpr std::string_view around = " \t\"'";
        for (const std::string key : {"root=", "resume=", "RESUME="})
            for (auto at = line.find(key); at != std::string::npos; at = line.find(key, at + 1)) {
                if (at > 0 && around.find(line[at - 1]) == std::string_view::npos) continue;
                const auto begin = at + key.size();
                const auto end = std::min(line.find_first_of(around, begin), line.size());
                if (auto name = lasting_name(line.substr(begin, end - begin), initramfs, path))
                    line.replace(begin, end - begin, *name);
            }
    }

    void grub_default(std::string& line) {
        if (line.starts_with("GRUB_CMDLINE_LINUX")) words(line, "/etc/default/grub", true);
        // update-grub would write places again.
        if (line.starts_with("GRUB_DISABLE_LINUX_UUID=true")) line.insert(0, "#");
    }

    /// The kernel alone knows partitions, and no file systems.
    bool has_initramfs(const std::string& path) const {
        const auto lines = lines_of(tree_.read(path).value_or(""));
        return std::any_of(lines.begin(), lines.end(), [](const std::string& line) {
            const auto found = words_of(line);
            return !found.empty() && (found[0].starts_with("initrd") || found[0].starts_with("INITRD") ||
                                      line.find(" initrd=") != std::string::npos);
        });
    }

    bool on_this_disk(const PlaceName& name) const {
        if (name.disk == root_disk_) return true;
        const bool by_hardware = root_disk_.starts_with("/dev/disk/");
        const std::string partition = name.disk + (name.disk.starts_with("/dev/nvme") ? "p1" : "1");
        return (root_disk_.empty() || by_hardware) && partition_of_first_disk(partition) == 1;
    }

    /// nullopt: it stays as it is, and where that may not work, there is a warning.
    std::optional<std::string> lasting_name(const std::string& device, bool by_file_system,
                                            const std::string& path) {
        const auto name = place_name(device);
        if (!name) return std::nullopt;
        const auto volume = std::find_if(volumes_.begin(), volumes_.end(),
                                         [&](const Volume& v) { return v.number == name->partition; });
        if (volume != volumes_.end() && on_this_disk(*name)) {
            if (by_file_system && !volume->uuid.empty()) return "UUID=" + volume->uuid;
            if (!volume->part_uuid.empty()) return "PARTUUID=" + volume->part_uuid;
        }
        plan_.warn(path + " calls a disk " + device + ": it may have another name on the copy");
        return std::nullopt;
    }

    const GuestTree& tree_;
    const std::vector<Volume>& volumes_;
    IdentityPlan& plan_;
    std::string root_disk_;  ///< as fstab calls the disk of /; empty: by no place
};

}  // namespace

void plan_disks(const GuestTree& tree, const std::vector<Volume>& volumes, IdentityPlan& plan) {
    if (!volumes.empty()) Disks(tree, volumes, plan).all();
}

}  // namespace clara::identity
