#include "clara/drivers/images/machine_disk.hpp"

#include <fcntl.h>
#include <fmt/format.h>
#include <unistd.h>

#include <cerrno>

#include "clara/base/error.hpp"
#include "clara/base/files.hpp"
#include "clara/base/process.hpp"
#include "clara/drivers/images/grub.hpp"
#include "clara/drivers/images/root_times.hpp"

namespace clara {
namespace {

// The EFI partition is small, the root comes last: it can grow with its disk. A megabyte in front of the
// first partition is what all partitioning programs leave for boot loaders.
constexpr std::uint64_t mib = 1 << 20, sector = 512;
constexpr std::uint64_t efi_offset = 1 * mib, efi_size = 7 * mib, root_offset = efi_offset + efi_size;
constexpr std::chrono::hours patience{1};

// Spelled out, as each release's mke2fs.conf has its own. GRUB 2.06 reads neither orphan_file nor
// metadata_csum_seed.
constexpr const char* features =
    "none,has_journal,ext_attr,resize_inode,dir_index,filetype,extent,64bit,flex_bg,sparse_super,large_file,"
    "huge_file,dir_nlink,extra_isize,metadata_csum";

void write_at(int fd, std::string_view data, std::uint64_t offset) {
    while (!data.empty()) {
        const ssize_t done = ::pwrite(fd, data.data(), data.size(), static_cast<off_t>(offset));
        if (done < 0 && errno == EINTR) continue;
        if (done <= 0) throw system_error("cannot write the disk", errno);
        data.remove_prefix(static_cast<std::size_t>(done));
        offset += static_cast<std::uint64_t>(done);
    }
}

RunOptions reproducible() {
    RunOptions options;
    options.timeout = patience;
    options.extra_env = {"LC_ALL=C", "SOURCE_DATE_EPOCH=315532800", "E2FSPROGS_FAKE_TIME=1",
                         "MTOOLS_SKIP_CHECK=1"};
    return options;
}

/// A FAT file system with the one file UEFI looks for on a disk it knows nothing of (UEFI 2.10, 3.5.1.1).
std::string make_efi_partition(const std::string& program, const std::string& scratch) {
    const std::string image = scratch + "/efi.img", file = scratch + "/bootx64.efi";
    write_file(file, program);
    Fd fd(::open(image.c_str(), O_RDWR | O_CREAT | O_TRUNC | O_CLOEXEC, 0600));
    if (!fd || ::ftruncate(fd.get(), efi_size) != 0) throw system_error("cannot make " + image, errno);
    run_ok({"mkfs.vfat", "--invariant", "-F", "12", "-n", "EFI", image}, reproducible());
    run_ok({"mmd", "-i", image, "::/EFI", "::/EFI/BOOT"}, reproducible());
    run_ok({"mcopy", "-i", image, file, "::/EFI/BOOT/BOOTX64.EFI"}, reproducible());
    return read_file(image).value_or("");
}

void make_partitions(const std::string& raw, const std::string& root_uuid) {
    RunOptions options = reproducible();
    options.input = fmt::format("label: dos\nlabel-id: 0x{}\n{},{},ef\n{},,83,*\n", root_uuid.substr(0, 8),
                                efi_offset / sector, efi_size / sector, root_offset / sector);
    run_ok({"sfdisk", "--quiet", "--no-reread", "--no-tell-kernel", raw}, options);
}

/// assume_storage_prezeroed: nothing is left for the kernel's lazy initialisation, which would write to each
/// guest's own disk.
void make_root(const std::string& tree, const std::string& root_uuid, std::uint64_t size,
               const std::string& raw) {
    RunResult made =
        run({"mke2fs",
             "-q",
             "-F",
             "-t",
             "ext4",
             "-b",
             "4096",
             "-m",
             "1",
             "-L",
             "root",
             "-U",
             root_uuid,
             "-O",
             features,
             "-E",
             fmt::format("offset={},hash_seed={},root_owner=0:0,nodiscard,assume_storage_prezeroed=1",
                         root_offset, root_uuid),
             "-d",
             tree,
             raw,
             fmt::format("{}k", (size - root_offset) / 1024)},
            reproducible());
    if (made.status == 0) return;
    const bool full = made.err.find("Could not allocate block") != std::string::npos ||
                      made.err.find("No space") != std::string::npos;
    throw Error(ErrorKind::failed, "mke2fs failed: " + made.err.substr(0, 500),
                full ? "is the recipe's disk large enough for its files? 'disk: 4G'" : "");
}

}  // namespace

void need_disk_tools() {
    std::string missing;
    for (auto [file, package] : {std::pair{"/usr/bin/grub-mkimage", "grub-common"},
                                 {"/usr/lib/grub/i386-pc/boot.img", "grub-pc-bin"},
                                 {"/usr/lib/grub/x86_64-efi/kernel.img", "grub-efi-amd64-bin"},
                                 {"/usr/sbin/mkfs.vfat", "dosfstools"},
                                 {"/usr/bin/mcopy", "mtools"},
                                 {"/usr/sbin/sfdisk", "fdisk"},
                                 {"/usr/bin/qemu-img", "qemu-utils"},
                                 {"/usr/bin/cpio", "cpio"},
                                 {"/usr/sbin/depmod", "kmod"},
                                 {"/bin/busybox", "busybox-static"}})
        if (!exists(file)) missing += std::string(" ") + package;
    if (!missing.empty())
        throw Error(ErrorKind::failed,
                    "images for virtual machines need packages that are not installed here:" + missing,
                    "apt-get install" + missing);
}

void write_machine_disk(const std::string& tree, const std::string& root_uuid, std::uint64_t size,
                        bool keep_times, const std::string& scratch, const std::string& file) {
    const std::string raw = scratch + "/disk.raw";
    size = size / mib * mib;
    Fd disk(::open(raw.c_str(), O_RDWR | O_CREAT | O_TRUNC | O_CLOEXEC, 0600));
    if (!disk || ::ftruncate(disk.get(), static_cast<off_t>(size)) != 0)
        throw system_error("cannot make " + raw, errno);
    make_partitions(raw, root_uuid);
    const BootLoader loader = make_boot_loader(root_uuid, scratch);
    if (sector + loader.core.size() > efi_offset)
        throw Error(ErrorKind::failed, "GRUB does not fit in front of the first partition");
    write_at(disk.get(), loader.sector, 0);
    write_at(disk.get(), loader.core, sector);
    write_at(disk.get(), make_efi_partition(loader.efi, scratch), efi_offset);
    make_root(tree, root_uuid, size, raw);
    if (!keep_times) forget_times(raw, root_offset);
    run_ok({"qemu-img", "convert", "-f", "raw", "-O", "qcow2", "-m", "1", raw, file}, reproducible());
}

}  // namespace clara
