#include "clara/drivers/images/initramfs.hpp"

#include <fcntl.h>
#include <sys/stat.h>

#include <cerrno>
#include <set>

#include "clara/base/error.hpp"
#include "clara/base/files.hpp"
#include "clara/base/process.hpp"
#include "clara/drivers/images/tree.hpp"

namespace clara {
namespace {

/// What virtual machines have. The cloud kernel has neither ahci, e1000 nor USB; linux-image-amd64 has.
const std::vector<std::string> usual_modules{
    "virtio_pci",     "virtio_blk", "ext4",     "virtio_net", "virtio_console", "virtio-rng",
    "virtio_balloon", "button",     "evdev",    "e1000",      "pvpanic-pci",    "pvpanic-mmio",
    "xhci_pci",       "cdc_acm",    "ftdi_sio", "pl2303",     "cp210x"};
/// Loaded where the root is on none of the usual disks.
const std::vector<std::string> other_disks{"virtio_scsi", "sd_mod", "ahci", "ata_piix", "nvme"};

// findfs knows a file system by its UUID whatever its disk is called. The console is the kernel's: the last
// one of its command line.
constexpr const char* script = R"(#!/bin/busybox sh
# Made by clara-image. Loads modules, mounts the root file system that root=UUID=... names, starts init=...
PATH=/bin
busybox mount -t devtmpfs dev /dev
busybox mount -t proc proc /proc
load() {
    while read -r module; do busybox insmod "/modules/$module" 2>/dev/null; done <"/modules/$1"
}
load usual

root= init=/sbin/init mode=rw
for word in $(busybox cat /proc/cmdline); do
    case $word in
        root=*) root=${word#root=} ;;
        init=*) init=${word#init=} ;;
        ro | rw) mode=$word ;;
    esac
done

tries=0
until device=$(busybox findfs "$root" 2>/dev/null) && busybox mount -o "$mode" "$device" /root; do
    tries=$((tries + 1))
    [ $tries != 3 ] || load others
    if [ $tries = 100 ]; then
        echo "initramfs: no file system $root; here is a shell, exit tries again"
        busybox cat /proc/partitions
        busybox setsid busybox cttyhack busybox sh
        tries=0
    fi
    busybox usleep 100000
done
busybox umount /proc
busybox mount --move /dev /root/dev
exec busybox switch_root /root "$init"
)";

/// Relative names, sorted, folders before what is in them.
void list_below(int folder, const std::string& path, std::string& names) {
    for (const auto& name : list_dir(folder)) {
        const std::string full = path.empty() ? name : path + "/" + name;
        names += full + "\n";
        struct stat st {};
        const timespec epoch[2]{};
        if (::fstatat(folder, name.c_str(), &st, AT_SYMLINK_NOFOLLOW) != 0)
            throw system_error("cannot examine " + full, errno);
        if (S_ISDIR(st.st_mode)) list_below(open_dir_at(folder, name).get(), full, names);
        if (::utimensat(folder, name.c_str(), epoch, AT_SYMLINK_NOFOLLOW) != 0)
            throw system_error("cannot set the times of " + full, errno);
    }
}

}  // namespace

void write_initramfs(const Kernel& kernel, const std::string& scratch, const std::string& file) {
    Tree tree(scratch);
    for (const char* folder : {"bin", "dev", "proc", "root", "modules"}) tree.folder(folder);
    tree.take("/bin/busybox", "bin/busybox");
    tree.write("init", script, 0755);
    std::set<std::string> there;
    for (const auto& [list, names] : {std::pair{"usual", usual_modules}, {"others", other_disks}}) {
        std::string order;
        for (const auto& module : with_dependencies(kernel, names)) {
            if (!there.insert(module).second) continue;
            const std::string name = module.substr(module.rfind('/') + 1);
            tree.take(kernel.modules + "/" + module, "modules/" + name);
            order += name + "\n";
        }
        tree.write(std::string("modules/") + list, order);
    }

    RunOptions options;
    options.cwd = scratch;
    Fd folder = open_dir(scratch);
    list_below(folder.get(), "", options.input);
    run_ok(
        {"cpio", "--create", "--format=newc", "--reproducible", "--quiet", "--owner=+0:+0", "--file=" + file},
        options);
}

}  // namespace clara
