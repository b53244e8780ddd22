#include "clara/drivers/images/grub.hpp"

#include <fmt/format.h>

#include "clara/base/error.hpp"
#include "clara/base/files.hpp"
#include "clara/base/process.hpp"

namespace clara {
namespace {

constexpr const char* modules_of = "/usr/lib/grub/";
constexpr std::size_t boot_code = 440;  // bytes; the partition table's disk id comes next

std::string read_whole(const std::string& path) {
    auto text = read_file(path);
    if (!text) throw Error(ErrorKind::failed, path + " is missing");
    return std::move(*text);
}

std::string make_core(const std::string& format, const std::string& config, const std::string& file,
                      const std::vector<std::string>& more) {
    std::vector<std::string> argv{
        "grub-mkimage", "--directory", modules_of + format, "--format", format, "--output",
        file,           "--prefix",    "/boot/grub",        "--config", config};
    for (const char* module : {"part_msdos", "part_gpt", "ext2", "search_fs_uuid", "normal", "configfile",
                               "linux", "serial", "terminal", "echo", "test"})
        argv.emplace_back(module);
    argv.insert(argv.end(), more.begin(), more.end());
    run_ok(argv);
    return read_whole(file);
}

}  // namespace

BootLoader make_boot_loader(const std::string& root_uuid, const std::string& scratch) {
    const std::string config = scratch + "/grub-early.cfg";
    write_file(config, fmt::format("search.fs_uuid {} root\nset prefix=($root)/boot/grub\n", root_uuid));
    BootLoader loader;
    // boot.img as it is loads the core from sector 1 on, and grub-mkimage's core expects to lie there in one
    // piece (grub-core/boot/i386/pc/boot.S, kernel_sector; diskboot.S, blocklist_default_start).
    loader.sector = read_whole(std::string(modules_of) + "i386-pc/boot.img").substr(0, boot_code);
    loader.core = make_core("i386-pc", config, scratch + "/core.img", {"biosdisk"});
    loader.efi = make_core("x86_64-efi", config, scratch + "/bootx64.efi", {"fat"});
    return loader;
}

std::string render_grub_cfg(const std::string& kernel, const std::string& initrd,
                            const std::string& root_uuid, const std::string& init) {
    const std::string line = fmt::format("root=UUID={} {} console=tty0 console=ttyS0,115200 panic=10",
                                         root_uuid, init.empty() ? "ro" : "rw quiet init=" + init);
    return fmt::format(
        "# Written by clara-image. More seconds of timeout bring a menu, on the serial console as well.\n"
        "set timeout=0\n"
        "serial --unit=0 --speed=115200\n"
        "terminal_input serial console\n"
        "terminal_output serial console\n"
        "menuentry linux {{\n"
        "    linux {} {}\n"
        "    initrd {}\n"
        "}}\n",
        kernel, line, initrd);
}

}  // namespace clara
