#include "clara/drivers/points/files.hpp"

#include <fcntl.h>
#include <fmt/format.h>
#include <fmt/ranges.h>
#include <sys/mount.h>
#include <sys/stat.h>

#include <algorithm>
#include <cerrno>
#include <map>

#include "clara/base/error.hpp"
#include "clara/base/files.hpp"
#include "clara/base/in_root.hpp"
#include "clara/base/log.hpp"
#include "clara/drivers/disks/mounted_tree.hpp"
#include "clara/drivers/lxc/idmap.hpp"
#include "clara/drivers/lxc/rootfs.hpp"
#include "clara/drivers/points/images.hpp"
#include "clara/drivers/storage/layout.hpp"
#include "clara/drivers/storage/mount.hpp"
#include "clara/drivers/storage/private_mounts.hpp"
#include "clara/ops/fstab.hpp"

namespace clara::points {
namespace {

constexpr unsigned careful = MOUNT_ATTR_RDONLY | MOUNT_ATTR_NOSUID | MOUNT_ATTR_NODEV | MOUNT_ATTR_NOEXEC;

Fd image_of(const FilesChoice& choice) {
    std::optional<Error> trouble;
    for (const auto& where : {choice.pool, choice.store}) {
        if (!has_image(where, choice.image)) continue;
        try {
            return open_image(where, choice.image);
        } catch (const Error& e) {
            trouble = e;
        }
    }
    if (trouble) throw *trouble;
    throw Error(ErrorKind::refused,
                fmt::format("image {} is neither in {} nor in {}", choice.image, choice.pool, choice.store),
                "--disk disk.qcow2 shows what the guest has changed: folder upper");
}

std::string described(const std::vector<Volume>& volumes) {
    std::vector<std::string> texts;
    for (const auto& volume : volumes)
        texts.push_back((volume.number ? fmt::format("partition {} ", volume.number) : std::string()) +
                        (volume.type.empty() ? "unknown" : volume.type));
    return fmt::format("{}", fmt::join(texts, ", "));
}

std::string chosen_disk(const FilesChoice& choice) {
    const auto disks = disks_in(choice.store, choice.guest, choice.point);
    const std::string wanted = choice.disk.empty() ? "disk.qcow2" : choice.disk;
    if (std::find(disks.begin(), disks.end(), wanted) == disks.end())
        throw Error(ErrorKind::usage, fmt::format("restore point {} has no disk {}", choice.point, wanted),
                    fmt::format("it has {}", fmt::join(disks, ", ")));
    return wanted;
}

Fd clone_of(const std::string& path) {
    Fd tree(::open_tree(AT_FDCWD, path.c_str(),
                        OPEN_TREE_CLONE | OPEN_TREE_CLOEXEC | static_cast<unsigned>(AT_RECURSIVE)));
    if (!tree) throw system_error("cannot copy the mounts", errno);
    return tree;
}

void attach_inside(int root, const std::string& target, int mount) {
    const Fd folder = open_in_root(root, target, O_PATH | O_DIRECTORY);
    if (!folder ||
        ::move_mount(mount, "", folder.get(), "", MOVE_MOUNT_F_EMPTY_PATH | MOVE_MOUNT_T_EMPTY_PATH) != 0)
        throw system_error("cannot mount on " + target, errno);
}

}  // namespace

std::vector<std::string> disks_in(const std::string& store, const std::string& guest,
                                  const std::string& point) {
    std::vector<std::string> disks;
    for (const auto& name : list_dir(pool::point(store, guest, point)))
        if (name.ends_with(".qcow2")) disks.push_back(name);
    return disks;
}

std::vector<ChainLink> point_chain(const std::string& store, const std::string& guest,
                                   const std::string& point, const std::string& disk) {
    auto chain = disk_chain(pool::point(store, guest, point) + "/" + disk, "qcow2");
    refuse_outside(chain, pool::backups(store, guest));
    return chain;
}

GuestFiles::GuestFiles(const FilesChoice& choice)
    : disk_(point_chain(choice.store, choice.guest, choice.point, chosen_disk(choice))) {
    const bool guests_view = choice.disk.empty() && !choice.partition;
    view_ = choice.kind == "lxc" && guests_view ? container(choice) : machine(choice);
}

/// The overlay that the guest has: what it has changed above its image.
Fd GuestFiles::container(const FilesChoice& choice) {
    Fd disk = disk_.mount(only());
    struct stat upper_stat {
    }, work{};
    if (::fstatat(disk.get(), "upper", &upper_stat, AT_SYMLINK_NOFOLLOW) != 0 ||
        !S_ISDIR(upper_stat.st_mode) || ::fstatat(disk.get(), "work", &work, AT_SYMLINK_NOFOLLOW) != 0)
        throw Error(ErrorKind::refused, "its disk is none of a container: it has no folders upper and work",
                    "--disk disk.qcow2 shows what it has");
    // An unprivileged guest's root is this user on its disk, but 0 in its image.
    if (work.st_uid != 0) unmap_ids(disk.get(), work.st_uid, choice.id_count);
    const Fd image = image_of(choice);
    Fd view;
    in_private_mounts([&](const std::string& stage) {
        const std::string upper = stage + "/disk", lower = stage + "/image";
        for (const auto& folder : {upper, lower}) make_dirs(folder);
        attach_mount(disk.get(), upper);
        attach_mount(image.get(), lower);
        view = new_mount("overlay", fmt::format("clara:{}/{}", choice.guest, choice.point),
                         {{"ro", ""},
                          {"lowerdir", upper + "/upper:" + lower},
                          {"index", "off"},
                          {"metacopy", "off"},
                          {"redirect_dir", "off"}},
                         careful);
    });
    return view;
}

Fd GuestFiles::machine(const FilesChoice& choice) {
    if (choice.partition) return disk_.mount(named(*choice.partition));
    auto root = disk_.mount_root();
    if (root.volume) return with_parts(std::move(root.mount), *root.volume, choice.whole);
    if (!choice.disk.empty()) return disk_.mount(only());
    throw Error(ErrorKind::refused,
                "no root file system was found on its first disk: " + described(disk_.volumes()),
                "choose another one: --disk, --partition; clara-backup files list NAME --disks shows them");
}

Fd GuestFiles::with_parts(Fd root, const Volume& volume, bool whole) {
    std::map<std::string, const Volume*> wanted;  // by target: what is mounted in another comes later
    const MountedTree files(root.get());
    for (auto& entry : parse_fstab(files.read("/etc/fstab").value_or(""))) {
        const Volume* part = volume_of(entry.source, disk_.volumes());
        while (entry.target.size() > 1 && entry.target.ends_with('/')) entry.target.pop_back();
        if (!part || part == &volume || !entry.target.starts_with('/') || entry.target == "/") continue;
        if (wanted.emplace(entry.target, part).second)
            parts_.push_back(fmt::format("{} (partition {})", entry.target, part->number));
    }
    if (wanted.empty() || !whole) return root;
    Fd view;
    in_private_mounts([&](const std::string& stage) {
        const std::string top = stage + "/root";
        make_dirs(top);
        attach_mount(root.get(), top);
        for (const auto& [target, part] : wanted) try {
                attach_inside(root.get(), target, disk_.mount(*part).get());
            } catch (const Error& e) {
                log::warn("{} is left out: {}", target, e.message());
            }
        view = clone_of(top);
    });
    return view;
}

const Volume& GuestFiles::named(int partition) const {
    for (const auto& volume : disk_.volumes())
        if (volume.number == partition) return volume;
    throw Error(ErrorKind::usage, fmt::format("it has no partition {}", partition),
                "it has " + described(disk_.volumes()));
}

const Volume& GuestFiles::only() const {
    if (disk_.volumes().size() != 1)
        throw Error(ErrorKind::usage, "it has several partitions: " + described(disk_.volumes()),
                    "choose one: --partition");
    return disk_.volumes().front();
}

}  // namespace clara::points
