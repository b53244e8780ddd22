// Disks of virtual machines for tests: partition tables by sfdisk, file systems by their own mkfs.
#pragma once
#include <filesystem>
#include <fstream>
#include <string>

#include "clara/base/files.hpp"
#include "clara/base/process.hpp"
#include "disk_tools.hpp"
#include "temp_dir.hpp"

namespace clara {

class GuestDiskMaker {
  public:
    explicit GuestDiskMaker(const TempDir& dir) : dir_(dir) {}

    /// A qcow2 on another qcow2, with a partition of ext4 that looks like Debian 12.
    std::string linux_disk() {
        make_tree("tree");
        format_ext4("root.ext4", "tree", "64M");
        return assemble({"root.ext4"});
    }

    /// The same as after a power cut: a file that is in the journal alone.
    std::string dirty_disk() {
        make_tree("tree");
        format_ext4("root.ext4", "tree", "64M");
        write_file(dir_ / "after", "written, and in the journal alone\n");
        make_dirty(dir_ / "root.ext4");
        return assemble({"root.ext4"});
    }

    /// It has lost an inode, and was not unmounted.
    std::string damaged_disk() {
        make_tree("tree");
        format_ext4("root.ext4", "tree", "64M");
        run_ok({"/sbin/debugfs", "-w", "-R", "clri <7>", dir_ / "root.ext4"});
        run_ok({"/sbin/debugfs", "-w", "-R", "set_super_value state 2", dir_ / "root.ext4"});
        return assemble({"root.ext4"});
    }

    /// Boot files and data on partitions of their own.
    std::string split_disk() {
        make_tree("tree");
        write_file(dir_ / "tree/etc/fstab",
                   "# comment\nLABEL=root / ext4 defaults 0 1\n/dev/sda2 /boot ext4 defaults 0 2\n"
                   "UUID=6F1D0C4C-9F6E-4E54-8E5C-7C1A94E0A6B1 /srv xfs defaults 0 2\n"
                   "LABEL=boot /again/ ext4 defaults 0 2\nproc /proc proc "
                   "defaults 0 0\n");
        format_ext4("root.ext4", "tree", "64M", "root");
        make_dirs(dir_ / "boot/grub");
        write_file(dir_ / "boot/grub/grub.cfg", "linux /vmlinuz\n");
        format_ext4("boot.ext4", "boot", "16M", "boot");
        make_file("srv.xfs", 320 << 20);
        run_ok({"/sbin/mkfs.xfs", "-q", "-m", "uuid=6f1d0c4c-9f6e-4e54-8e5c-7c1a94e0a6b1", dir_ / "srv.xfs"});
        return assemble({"root.ext4", "boot.ext4", "srv.xfs"});
    }

    std::string other_disk(const std::string& type) {
        make_file("part", 320 << 20);
        const std::string part = dir_ / "part";
        if (type == "xfs") run_ok({"/sbin/mkfs.xfs", "-q", "-f", part});
        if (type == "btrfs") run_ok({"mkfs.btrfs", "-q", part});
        if (type == "ntfs")
            run_ok(
                {"/sbin/mkntfs", "-q", "-Q", "-F", "-s", "512", "-p", "2048", "-H", "16", "-S", "63", part});
        if (type == "vfat") run_ok({"/sbin/mkfs.vfat", part});
        if (type == "lvm") make_lvm(part);
        if (type == "data") {
            make_dirs(dir_ / "data");
            write_file(dir_ / "data/values", "1 2 3\n");
            run_ok({"/sbin/mke2fs", "-q", "-F", "-t", "ext4", "-d", dir_ / "data", part});
        }
        return assemble({"part"});
    }

    /// A folder with the files of a system; more may be added before it is formatted.
    void make_tree(const std::string& name) {
        run_ok(
            {"sh", "-c",
             "mkdir -p etc usr/lib usr/sbin usr/share/doc var/lib home/ioc && ln -s usr/sbin sbin &&"
             "chown 1000:1000 home/ioc && echo source > etc/hostname && ln -s /no/where etc/dangling &&"
             "printf 'ID=debian\\nPRETTY_NAME=\"Debian GNU/Linux 12 (bookworm)\"\\n' > usr/lib/os-release &&"
             "ln -s ../usr/lib/os-release etc/os-release && echo text > usr/share/doc/text &&"
             "echo 'LABEL=root / ext4 defaults 0 1' > etc/fstab"},
            {.cwd = made(name)});
    }
    void format_ext4(const std::string& file, const std::string& tree, const std::string& size,
                     const std::string& label = "root") {
        run_ok({"/sbin/mke2fs", "-q", "-F", "-t", "ext4", "-L", label, "-d", dir_ / tree, dir_ / file, size});
    }
    /// One partition a file, from 1 MiB on; returns the path of the qcow2.
    std::string assemble(const std::vector<std::string>& parts) {
        std::filesystem::remove(dir_ / "whole.raw");
        std::filesystem::remove(dir_ / "disk.qcow2");
        std::uint64_t at = 1 << 20;
        std::string table = "label: gpt\n";
        run_ok({"truncate", "-s", "0", dir_ / "whole.raw"});
        for (const auto& part : parts) {
            const std::uint64_t size = std::filesystem::file_size(dir_ / part);
            table += "start=" + std::to_string(at / 512) + ", size=" + std::to_string(size / 512) + "\n";
            run_ok({"dd", "if=" + (dir_ / part), "of=" + (dir_ / "whole.raw"), "bs=1M",
                    "seek=" + std::to_string(at >> 20), "conv=sparse,notrunc", "status=none"});
            at += size;
        }
        run_ok({"truncate", "-s", std::to_string(at + (1 << 20)), dir_ / "whole.raw"});
        run_ok({"/sbin/sfdisk", "-q", "--no-reread", dir_ / "whole.raw"}, {.input = table});
        qemu_img({"convert", "-f", "raw", "-O", "qcow2", dir_ / "whole.raw", dir_ / "base.qcow2"});
        qemu_img({"create", "-q", "-f", "qcow2", "-b", "base.qcow2", "-F", "qcow2", dir_ / "disk.qcow2"});
        return dir_ / "disk.qcow2";
    }

  private:
    std::string made(const std::string& folder) {
        std::filesystem::remove_all(dir_ / folder);
        make_dirs(dir_ / folder);
        return dir_ / folder;
    }
    void make_file(const std::string& name, std::uint64_t size) {
        std::ofstream(dir_ / name).close();
        std::filesystem::resize_file(dir_ / name, 0);
        std::filesystem::resize_file(dir_ / name, size);
    }
    /// Mounted in a namespace of its own, written to, and copied while it is mounted: as a power cut leaves
    /// it.
    void make_dirty(const std::string& disk) {
        run_ok({"unshare", "--mount", "--propagation", "private", "sh", "-c",
                "mkdir -p \"$1\" && mount -o loop,commit=1000 \"$0\" \"$1\" && cp \"$2\" \"$1/after\" &&"
                "sync \"$1/after\" && cp --sparse=always \"$0\" \"$0.cut\" && umount \"$1\" && mv \"$0.cut\" "
                "\"$0\"",
                disk, dir_ / "mnt", dir_ / "after"});
    }
    /// pvcreate wants a block device that udev knows; its label is documented in LVM2's format_text/layout.h.
    static void make_lvm(const std::string& part) {
        std::fstream file(part, std::ios::in | std::ios::out | std::ios::binary);
        std::string label = "LABELONE";
        label.append("\1\0\0\0\0\0\0\0", 8);
        std::string body("\x20\0\0\0LVM2 001", 12);
        body += "Zp3s2kAbCdEfGhIjKlMnOpQrStUvWxYz";
        body.resize(512 - 20, '\0');
        std::uint32_t crc = 0xf597a6cf;  // LVM2's starting value, then CRC-32 as in Ethernet
        for (char c : body) {
            crc ^= static_cast<unsigned char>(c);
            for (int bit = 0; bit < 8; ++bit) crc = crc >> 1 ^ (crc & 1 ? 0xedb88320 : 0);
        }
        for (int byte = 0; byte < 4; ++byte) label += static_cast<char>(crc >> (8 * byte));
        file.seekp(512);
        file << label << body;
    }

    const TempDir& dir_;
};

/// The file system of the first partition is sound, by e2fsck itself.
inline std::string fsck(const std::string& disk, const TempDir& dir) {
    const std::string raw = dir / "check.raw", part = dir / "check.ext4";
    qemu_img({"convert", "-f", "qcow2", "-O", "raw", disk, raw});
    run_ok({"dd", "if=" + raw, "of=" + part, "bs=1M", "skip=1", "conv=sparse", "status=none"});
    RunResult result = run({"/sbin/e2fsck", "-fn", part});
    std::string changed = result.status == 0 ? "" : result.out + result.err;
    qemu_img({"check", "-f", "qcow2", disk});
    return changed;
}

inline std::string debugfs(const TempDir& dir, const std::string& command) {
    return run_ok({"/sbin/debugfs", "-R", command, dir / "check.ext4"});
}

}  // namespace clara
