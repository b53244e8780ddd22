#include "clara/drivers/lxc/rootfs.hpp"

#include <fcntl.h>
#include <fmt/format.h>
#include <sys/mount.h>
#include <sys/stat.h>

#include <algorithm>
#include <cerrno>

#include "clara/base/error.hpp"
#include "clara/base/files.hpp"
#include "clara/base/lock.hpp"
#include "clara/drivers/images/digest.hpp"
#include "clara/drivers/lxc/idmap.hpp"
#include "clara/drivers/lxc/mount_points.hpp"
#include "clara/drivers/storage/fill.hpp"
#include "clara/drivers/storage/layout.hpp"
#include "clara/drivers/storage/mount.hpp"

namespace clara {
namespace {

// Reading and hashing an image of some GB from a slow pool.
constexpr std::chrono::minutes image_wait{10};

std::string image_dir(const std::string& run_dir, const std::string& id) {
    return run_dir + "/images/" + id;
}
std::string guest_dir(const std::string& run_dir, const std::string& name) {
    return run_dir + "/guests/" + name;
}

void mount_devices(const GuestSpec& spec, const std::string& folder, IdRange ids) {
    Fd mount = new_mount("tmpfs", "clara-dev", {{"mode", "755"}, {"size", "64k"}},
                         MOUNT_ATTR_NOEXEC | MOUNT_ATTR_NOSUID);
    FillDisk owners;
    for (const auto& user : spec.users) owners.users[user.name] = user.uid;
    for (std::size_t i = 0; i < spec.devices.size(); ++i) {
        const Device& device = spec.devices[i];
        struct stat st {};
        if (::stat(device.host.c_str(), &st) != 0)
            throw Error(ErrorKind::refused, "device " + system_error(device.host, errno).message(),
                        "plug it in, or take it out of the guest's template");
        if (!S_ISCHR(st.st_mode) && !S_ISBLK(st.st_mode))
            throw Error(ErrorKind::refused, device.host + " is not a device");
        const std::string node = std::to_string(i);
        const uid_t owner = ids.base + owner_id(device.owner, owners);
        if (::mknodat(mount.get(), node.c_str(), (st.st_mode & S_IFMT) | device.mode, st.st_rdev) != 0 ||
            ::fchmodat(mount.get(), node.c_str(), device.mode, 0) != 0 ||
            ::fchownat(mount.get(), node.c_str(), owner, owner, AT_SYMLINK_NOFOLLOW) != 0)
            throw system_error("cannot make the node of " + device.host, errno);
    }
    make_dirs(folder);
    attach_mount(mount.get(), folder);
}

}  // namespace

Fd open_image(const std::string& pool, const std::string& id) {
    const std::string path = pool::image(pool, id);
    Fd file(::open(path.c_str(), O_RDONLY | O_CLOEXEC));
    if (!file)
        throw Error(ErrorKind::refused,
                    "image " + id + " is not in the pool: " + system_error(path, errno).message(),
                    "see clara-image list");
    std::string digest = sha256_file(file.get());
    if (!digest.starts_with(id.substr(id.rfind('@') + 1)))
        throw Error(ErrorKind::refused, "image " + id + " is damaged: its SHA-256 is " + digest,
                    "restore " + path + " or build it again: clara-image verify " + id);
    Loop loop = attach_loop(file.get(), LoopMode::read_only);
    return new_mount("erofs", loop.path, {{"ro", ""}}, MOUNT_ATTR_RDONLY | MOUNT_ATTR_NODEV);
}

std::string mount_image(const std::string& pool, const std::string& id, const std::string& run_dir,
                        IdRange ids) {
    const std::string folder = image_dir(run_dir, id);
    const std::string base = folder + "/base";
    const std::string wanted = ids.mapped() ? fmt::format("{}/{}", folder, ids.base) : base;
    if (is_mount_point(wanted)) return wanted;
    make_dirs(folder);
    auto lock = NamedLock::take(folder + "/lock", "mount image " + id, image_wait);
    if (!is_mount_point(base)) {
        Fd mount = open_image(pool, id);
        make_dirs(base);
        attach_mount(mount.get(), base);
    }
    if (is_mount_point(wanted)) return wanted;
    Fd clone = idmapped_clone(base, ids.base, ids.count);
    make_dirs(wanted);
    attach_mount(clone.get(), wanted);
    return wanted;
}

void mount_guest(const GuestSpec& spec, int disk, const std::string& lower, const std::string& run_dir,
                 IdRange ids) {
    const std::string folder = guest_dir(run_dir, spec.name);
    {
        // Through the page cache: past it (direct) every start waits for the disk, 4 ms where this takes 0.5.
        Loop loop = attach_loop(disk, LoopMode::read_write);
        Fd mount = new_mount("ext4", loop.path, {}, MOUNT_ATTR_NODEV);
        make_dirs(folder + "/disk");
        attach_mount(mount.get(), folder + "/disk");
    }
    // Spelled out: a kernel's own defaults may be others, and an idmapped lower layer stands none of these.
    Fd overlay = new_mount("overlay", "clara",
                           {{"lowerdir", lower},
                            {"upperdir", folder + "/disk/upper"},
                            {"workdir", folder + "/disk/work"},
                            {"index", "off"},
                            {"metacopy", "off"},
                            {"redirect_dir", "off"}},
                           MOUNT_ATTR_NODEV);
    make_dirs(folder + "/rootfs");
    attach_mount(overlay.get(), folder + "/rootfs");
    make_mount_points(spec, folder + "/rootfs", ids);
    if (!spec.devices.empty()) mount_devices(spec, folder + "/dev", ids);
}

bool unmount_guest(const std::string& run_dir, const std::string& name) {
    bool any = false;
    for (const char* place : {"/dev", "/rootfs", "/disk"})
        while (unmount(guest_dir(run_dir, name) + place)) any = true;
    return any;
}

void provide_init(const std::string& run_dir) {
    const std::string from = helper_path("clara-init"), folder = run_dir + "/bin",
                      to = folder + "/clara-init";
    struct stat source {
    }, copy{};
    if (::stat(from.c_str(), &source) != 0) throw system_error("cannot examine " + from, errno);
    if (::stat(to.c_str(), &copy) == 0 && copy.st_size == source.st_size &&
        copy.st_mtim.tv_sec == source.st_mtim.tv_sec && copy.st_mtim.tv_nsec == source.st_mtim.tv_nsec)
        return;
    auto program = read_file(from);
    make_dirs(folder);
    Fd dir = open_dir(folder);
    // Renamed into place: guests that run keep theirs.
    write_file_at(dir.get(), "clara-init", *program, 0755, Durable::nothing);
    const timespec times[] = {source.st_atim, source.st_mtim};
    if (::utimensat(dir.get(), "clara-init", times, 0) != 0) throw system_error("cannot stamp " + to, errno);
}

}  // namespace clara
