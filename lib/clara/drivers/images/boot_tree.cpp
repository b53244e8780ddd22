#include "clara/drivers/images/boot_tree.hpp"

#include "clara/base/error.hpp"
#include "clara/base/files.hpp"
#include "clara/base/process.hpp"
#include "clara/drivers/images/grub.hpp"
#include "clara/drivers/images/initramfs.hpp"
#include "clara/drivers/images/kernel.hpp"

namespace clara {
namespace {

/// Beside what the initramfs loads: file systems and devices that a server may come to use. The kernel asks
/// modprobe for them.
const std::vector<std::string> more_modules{"virtiofs", "isofs",    "vfat",   "overlay", "nfs",
                                            "nfsv3",    "nfsv4",    "loop",   "tun",     "8021q",
                                            "dummy",    "ftdi_sio", "pl2303", "cp210x"};

struct BootFiles {
    std::string kernel, initrd;  ///< paths inside
};

/// Debian keeps both links up to date (linux-update-symlinks(1)).
bool has_own_kernel(const Tree& tree) {
    return tree.has("vmlinuz") && tree.has("initrd.img");
}

BootFiles add_kernel(Tree& tree, const Kernel& kernel, const std::string& scratch) {
    make_dirs(scratch + "/initramfs");
    write_initramfs(kernel, scratch + "/initramfs", scratch + "/initrd.img");
    tree.take(kernel.image, "boot/vmlinuz");
    tree.take(scratch + "/initrd.img", "boot/initrd.img");
    const std::string modules = "usr/lib/modules/" + kernel.release;
    for (const auto& module : with_dependencies(kernel, more_modules))
        tree.take(kernel.modules + "/" + module, modules + "/" + module);
    for (const char* list : {"modules.builtin", "modules.builtin.modinfo", "modules.order"})
        if (exists(kernel.modules + "/" + list)) tree.take(kernel.modules + "/" + list, modules + "/" + list);
    if (!tree.has("lib")) tree.symlink("usr/lib", "lib");
    run_ok({"depmod", "-b", tree.path(), kernel.release});
    if (!tree.has("sbin/modprobe") && tree.has("usr/bin/busybox"))
        tree.symlink("../bin/busybox", "usr/sbin/modprobe");  // where the kernel looks for it
    return {"/boot/vmlinuz", "/boot/initrd.img"};
}

void add_clara_init(Tree& tree) {
    tree.take(helper_path("clara-init"), "usr/sbin/clara-init");
    // qemu-ga and people call these
    for (const char* name : {"shutdown", "poweroff", "halt", "reboot"})
        if (!tree.has(std::string("usr/sbin/") + name))
            tree.symlink("clara-init", std::string("usr/sbin/") + name);
}

bool has_fstab(const Tree& tree) {
    if (!tree.has("etc/fstab")) return false;
    const std::string text = "\n" + tree.read("etc/fstab");
    for (std::size_t at = 0; (at = text.find('\n', at)) != std::string::npos; ++at)
        if (at + 1 < text.size() && text[at + 1] != '#' && text[at + 1] != '\n') return true;
    return false;
}

}  // namespace

std::vector<std::string> fit_for_machine(Tree& tree, const BootWishes& wishes, const std::string& cache_dir,
                                         const std::string& scratch) {
    for (const char* folder : {"dev", "proc", "sys", "run", "boot", "boot/grub", "usr/sbin"})
        tree.folder(folder);
    std::vector<std::string> contents;
    BootFiles files{"/vmlinuz", "/initrd.img"};
    bool own_initramfs = false;
    if (!has_own_kernel(tree)) {
        const Kernel kernel = get_kernel(wishes.kernel, cache_dir);
        files = add_kernel(tree, kernel, scratch);
        contents.push_back(kernel.package);
        own_initramfs = true;
    }
    const bool clara = wishes.init == "clara";
    if (clara) add_clara_init(tree);
    // Debian's initramfs checks the file system and leaves the rest of mounting to its init.
    const std::string init = clara ? "/usr/sbin/clara-init" : own_initramfs ? "/sbin/init" : "";
    tree.write("boot/grub/grub.cfg", render_grub_cfg(files.kernel, files.initrd, wishes.root_uuid, init));
    if (!has_fstab(tree)) tree.write("etc/fstab", "UUID=" + wishes.root_uuid + " / ext4 defaults 0 1\n");
    return contents;
}

}  // namespace clara
