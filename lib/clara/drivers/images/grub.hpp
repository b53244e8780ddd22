// GRUB for a disk that starts under BIOS and under UEFI, put together by grub-mkimage: nothing is mounted,
// nothing of this host's own boot is touched.
#pragma once
#include <string>

namespace clara {

struct BootLoader {
    std::string sector;  ///< 440 bytes of code for the MBR
    std::string core;    ///< for the sectors behind it
    std::string efi;     ///< EFI/BOOT/BOOTX64.EFI
};

/// All three look for the file system with that UUID and read /boot/grub/grub.cfg there. `scratch` is a
/// folder of ours for files in between.
BootLoader make_boot_loader(const std::string& root_uuid, const std::string& scratch);

/// /boot/grub/grub.cfg: one entry, no waiting, on the serial console too.
std::string render_grub_cfg(const std::string& kernel, const std::string& initrd,
                            const std::string& root_uuid, const std::string& init);

}  // namespace clara
