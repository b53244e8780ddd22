// The changing half of ExtFiles.
#include <unistd.h>

#include <array>
#include <cerrno>
#include <ctime>
#include <utility>

#include "clara/base/error.hpp"
#include "clara/drivers/disks/ext_files.hpp"
#include "clara/drivers/disks/ext_inner.hpp"

namespace clara {
namespace {

using ext::check;
constexpr int deepest = 64;  // folders within folders that a removal goes down

__u32 now() {
    return static_cast<__u32>(std::time(nullptr));
}

/// One name less; the last takes the inode and its blocks along.
void drop_inode(ext2_filsys fs, ext2_ino_t number, const std::string& what) {
    ext2_inode inode = ext::read_inode(fs, number, what);
    const bool folder = LINUX_S_ISDIR(inode.i_mode);
    if (!folder && inode.i_links_count > 1) {
        --inode.i_links_count;
        inode.i_ctime = now();
        check(ext2fs_write_inode(fs, number, &inode), what);
        return;
    }
    inode.i_links_count = 0;
    inode.i_dtime = now();
    check(ext2fs_write_inode(fs, number, &inode), what);
    if (inode.i_file_acl) check(ext2fs_free_ext_attr(fs, number, nullptr), what);
    if (ext2fs_inode_has_valid_blocks2(fs, &inode))
        check(ext2fs_punch(fs, number, &inode, nullptr, 0, ~0ULL), what);
    ext2fs_inode_alloc_stats2(fs, number, -1, folder);
}

/// Its content can be replaced and what hangs on it (an SELinux label) stays.
bool reusable(const ext2_inode& inode) {
    constexpr __u32 special =
        EXT4_INLINE_DATA_FL | EXT2_IMMUTABLE_FL | EXT2_APPEND_FL | EXT4_VERITY_FL | EXT4_ENCRYPT_FL;
    return LINUX_S_ISREG(inode.i_mode) && inode.i_links_count == 1 && !(inode.i_flags & special);
}

}  // namespace

void ExtFiles::link(std::uint32_t folder, const std::string& name, std::uint32_t inode, int type) {
    errcode_t code = ext2fs_link(fs_.get(), folder, name.c_str(), inode, type);
    if (code == EXT2_ET_DIR_NO_SPACE) {
        check(ext2fs_expand_dir(fs_.get(), folder), name);
        code = ext2fs_link(fs_.get(), folder, name.c_str(), inode, type);
    }
    check(code, name);
}

void ExtFiles::set(std::uint32_t number, const FileAttributes& attributes) {
    ext2_inode inode = ext::read_inode(fs_.get(), number, "attributes");
    inode.i_mode = static_cast<__u16>((inode.i_mode & LINUX_S_IFMT) | (attributes.mode & 07777));
    inode.i_uid = static_cast<__u16>(attributes.uid);
    inode.i_gid = static_cast<__u16>(attributes.gid);
    ext2fs_set_i_uid_high(inode, static_cast<__u16>(attributes.uid >> 16));
    ext2fs_set_i_gid_high(inode, static_cast<__u16>(attributes.gid >> 16));
    inode.i_mtime = attributes.mtime ? static_cast<__u32>(attributes.mtime) : now();
    inode.i_ctime = now();
    check(ext2fs_write_inode(fs_.get(), number, &inode), "attributes");
}

std::uint32_t ExtFiles::folder(const std::vector<std::string>& parts, std::size_t count) {
    ext2_ino_t at = EXT2_ROOT_INO;
    std::string path;
    for (std::size_t i = 0; i < count; ++i) {
        path += "/" + parts[i];
        ext2_ino_t next = ext::find(fs_.get(), at, parts[i], true);
        if (next == 0) {
            if (ext::find(fs_.get(), at, parts[i], false) != 0)
                throw Error(ErrorKind::failed, path + " is a link that leads nowhere");
            errcode_t code = ext2fs_mkdir(fs_.get(), at, 0, parts[i].c_str());
            if (code == EXT2_ET_DIR_NO_SPACE) {
                check(ext2fs_expand_dir(fs_.get(), at), path);
                code = ext2fs_mkdir(fs_.get(), at, 0, parts[i].c_str());
            }
            check(code, path);
            next = ext::find(fs_.get(), at, parts[i], false);
            set(next, {.mode = 0755});
        }
        if (!LINUX_S_ISDIR(ext::read_inode(fs_.get(), next, path).i_mode))
            throw Error(ErrorKind::failed, path + " is not a folder in the guest");
        at = next;
    }
    return at;
}

std::uint32_t ExtFiles::new_file(std::uint32_t folder, const std::string& name) {
    ext2_ino_t number = 0;
    check(ext2fs_new_inode(fs_.get(), folder, LINUX_S_IFREG | 0600, nullptr, &number), name);
    link(folder, name, number, EXT2_FT_REG_FILE);
    ext2fs_inode_alloc_stats2(fs_.get(), number, +1, 0);
    ext2_inode inode{};
    inode.i_mode = LINUX_S_IFREG | 0600;
    inode.i_links_count = 1;
    inode.i_atime = inode.i_ctime = inode.i_mtime = now();
    if (ext2fs_has_feature_extents(fs_->super)) {
        ext2_extent_handle_t extents = nullptr;
        check(ext2fs_extent_open2(fs_.get(), number, &inode, &extents), name);
        ext2fs_extent_free(extents);
    }
    check(ext2fs_write_new_inode(fs_.get(), number, &inode), name);
    return number;
}

void ExtFiles::write_pieces(const std::string& path, const FileAttributes& attributes, const Pieces& next) {
    const auto parts = ext::split(path);
    if (parts.empty()) throw Error(ErrorKind::usage, path + " is a folder");
    const ext2_ino_t parent = folder(parts, parts.size() - 1);
    ext2_ino_t number = ext::find(fs_.get(), parent, parts.back(), false);
    if (number != 0) {
        const ext2_inode inode = ext::read_inode(fs_.get(), number, path);
        if (LINUX_S_ISDIR(inode.i_mode)) throw Error(ErrorKind::failed, path + " is a folder in the guest");
        if (!reusable(inode)) {
            remove_entry(parent, parts.back());
            number = 0;
        }
    }
    if (number == 0) number = new_file(parent, parts.back());
    ext::File file = ext::open_file(fs_.get(), number, EXT2_FILE_WRITE, path);
    check(ext2fs_file_set_size2(file.get(), 0), path);
    for (std::string_view piece = next(); !piece.empty(); piece = next())
        while (!piece.empty()) {
            unsigned put = 0;
            check(ext2fs_file_write(file.get(), piece.data(), static_cast<unsigned>(piece.size()), &put),
                  path);
            piece.remove_prefix(put);
        }
    check(ext2fs_file_close(file.release()), path);
    set(number, attributes);
}

void ExtFiles::write(const std::string& path, std::string_view content, const FileAttributes& attributes) {
    bool given = false;
    write_pieces(path, attributes, [&] { return std::exchange(given, true) ? std::string_view() : content; });
}

void ExtFiles::write_from(const std::string& path, int source, const FileAttributes& attributes) {
    std::vector<char> buffer(1 << 20);
    write_pieces(path, attributes, [&]() -> std::string_view {
        ssize_t got = 0;
        while ((got = ::read(source, buffer.data(), buffer.size())) < 0)
            if (errno != EINTR) throw system_error("cannot read what goes to " + path, errno);
        return {buffer.data(), static_cast<std::size_t>(got)};
    });
}

void ExtFiles::make_folder(const std::string& path, const FileAttributes& attributes) {
    const auto parts = ext::split(path);
    set(folder(parts, parts.size()), attributes);
}

void ExtFiles::make_link(const std::string& path, const std::string& target) {
    const auto parts = ext::split(path);
    if (parts.empty()) throw Error(ErrorKind::usage, path + " is a folder");
    const ext2_ino_t parent = folder(parts, parts.size() - 1);
    if (ext2_ino_t old = ext::find(fs_.get(), parent, parts.back(), false); old != 0) {
        if (LINUX_S_ISDIR(ext::read_inode(fs_.get(), old, path).i_mode))
            throw Error(ErrorKind::failed, path + " is a folder in the guest");
        remove_entry(parent, parts.back());
    }
    auto make = [&] { return ext2fs_symlink(fs_.get(), parent, 0, parts.back().c_str(), target.c_str()); };
    errcode_t code = make();
    if (code == EXT2_ET_DIR_NO_SPACE) {
        check(ext2fs_expand_dir(fs_.get(), parent), path);
        code = make();
    }
    check(code, path);
}

void ExtFiles::remove_entry(std::uint32_t folder, const std::string& name) {
    const ext2_ino_t number = ext::find(fs_.get(), folder, name, false);
    check(ext2fs_unlink(fs_.get(), folder, name.c_str(), number, 0), name);
    drop_inode(fs_.get(), number, name);
}

void ExtFiles::remove(const std::string& path) {
    const auto parts = ext::split(path);
    if (parts.empty()) throw Error(ErrorKind::usage, "the guest's root is not removed");
    const auto st = stat(path);
    if (!st) return;
    if (parts.size() > deepest) throw Error(ErrorKind::failed, path + " lies too deep");
    std::string above;
    for (std::size_t i = 0; i + 1 < parts.size(); ++i) above += "/" + parts[i];
    const ext2_ino_t parent =
        above.empty() ? EXT2_ROOT_INO : ext::find(fs_.get(), EXT2_ROOT_INO, above, true);
    if (st->kind == FileStat::Kind::folder) {
        for (const auto& name : list(path)) remove(path + "/" + name);
        ext2_inode inode = ext::read_inode(fs_.get(), parent, above);
        if (inode.i_links_count > 2) --inode.i_links_count;  // its ".."; 1 stands for too many to count
        check(ext2fs_write_inode(fs_.get(), parent, &inode), above);
    }
    remove_entry(parent, parts.back());
}

}  // namespace clara
