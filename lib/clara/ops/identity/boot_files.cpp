// Where boot loaders keep the kernel's command line.
#include <algorithm>

#include "clara/ops/identity/parts.hpp"
#include "clara/ops/identity/text.hpp"

namespace clara::identity {

std::vector<BootFile> boot_files(const GuestTree& tree) {
    const std::vector<std::string> grub{"linux", "linux16", "linuxefi", "kernel"};
    std::vector<BootFile> files;
    for (const char* path : {"/boot/grub/grub.cfg", "/boot/grub2/grub.cfg", "/boot/grub/menu.lst"})
        files.push_back({path, grub});
    for (const auto& vendor : tree.list("/boot/efi/EFI"))  // it leads to one of those above
        files.push_back({"/boot/efi/EFI/" + vendor + "/grub.cfg", grub, false});
    for (const auto& name : tree.list("/boot/loader/entries"))
        files.push_back({"/boot/loader/entries/" + name, {"options"}});
    for (const char* path : {"/boot/extlinux/extlinux.conf", "/boot/extlinux.conf", "/extlinux.conf",
                             "/boot/syslinux/syslinux.cfg"})
        files.push_back({path, {"append", "APPEND"}});
    return files;
}

bool BootFile::has_command_line(const std::string& line) const {
    const auto words = words_of(line);
    return words.size() >= 2 && std::find(keys.begin(), keys.end(), words[0]) != keys.end();
}

}  // namespace clara::identity
