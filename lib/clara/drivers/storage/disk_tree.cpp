#include "clara/drivers/storage/disk_tree.hpp"

#include <sys/sysmacros.h>

#include <cstring>
#include <set>
#include <vector>

#include "clara/base/error.hpp"
#include "clara/base/handle.hpp"
#include "clara/base/interrupt.hpp"
#include "clara/drivers/storage/ext2fs.hpp"

namespace clara {
namespace {

constexpr std::size_t most_entries = 1000000;
constexpr std::size_t longest_link = 4095;  // PATH_MAX without its zero
constexpr unsigned piece = 1 << 20;         // bytes read at once

void close_file(ext2_file_t file) {
    ext2fs_file_close(file);
}
using File = Handle<ext2_file, close_file>;

void close_xattrs(ext2_xattr_handle* handle) {
    ext2fs_xattrs_close(&handle);
}

void check(errcode_t code, const std::string& what) {
    if (code) throw Error(ErrorKind::failed, what + ": " + error_message(code));
}

File open_file(ext2_filsys fs, ext2_ino_t number) {
    ext2_file_t file = nullptr;
    check(ext2fs_file_open(fs, number, 0, &file), "cannot open a file of the disk");
    return File(file);
}

/// Up to `most` bytes, fewer at the end of the file only.
unsigned read_more(const File& file, char* into, unsigned most) {
    unsigned have = 0, got = 0;
    do {
        check(ext2fs_file_read(file.get(), into + have, most - have, &got), "cannot read a file of the disk");
        have += got;
    } while (got > 0 && have < most);
    return have;
}

std::string link_of(ext2_filsys fs, ext2_ino_t number, ext2_inode& inode) {
    const std::size_t size = std::min<std::size_t>(inode.i_size, longest_link);
    if (ext2fs_is_fast_symlink(&inode))
        return std::string(reinterpret_cast<const char*>(inode.i_block),
                           std::min(size, sizeof inode.i_block));
    std::string text(size, '\0');
    text.resize(read_more(open_file(fs, number), text.data(), static_cast<unsigned>(size)));
    return text;
}

/// Overlay's mark of a folder that hides the image's (Documentation/filesystems/overlayfs.rst).
bool is_opaque(ext2_filsys fs, ext2_ino_t number) {
    ext2_xattr_handle* opened = nullptr;
    check(ext2fs_xattrs_open(fs, number, &opened), "cannot read attributes");
    struct Closer {
        void operator()(ext2_xattr_handle* handle) const { close_xattrs(handle); }
    };
    std::unique_ptr<ext2_xattr_handle, Closer> attributes(opened);
    check(ext2fs_xattrs_read(attributes.get()), "cannot read attributes");
    void* value = nullptr;
    std::size_t length = 0;
    if (ext2fs_xattr_get(attributes.get(), "trusted.overlay.opaque", &value, &length) != 0) return false;
    const bool yes = length == 1 && *static_cast<char*>(value) == 'y';
    ext2fs_free_mem(&value);
    return yes;
}

TreeEntry read_entry(ext2_filsys fs, ext2_ino_t number, bool overlay) {
    ext2_inode_large large{};
    auto* inode = reinterpret_cast<ext2_inode*>(&large);
    check(ext2fs_read_inode_full(fs, number, inode, sizeof large), "cannot read an inode");
    TreeEntry entry;
    entry.inode = number;
    entry.mode = inode->i_mode;
    entry.uid = inode_uid(*inode);
    entry.gid = inode_gid(*inode);
    // The lower two bits of i_ctime_extra extend the seconds beyond 2038 (Documentation/filesystems/ext4).
    const std::int64_t seconds = static_cast<std::int32_t>(inode->i_ctime) +
                                 (static_cast<std::int64_t>(large.i_ctime_extra & 3) << 32);
    entry.changed = seconds * 1000000000 + (large.i_ctime_extra >> 2);
    if (LINUX_S_ISREG(inode->i_mode)) entry.size = EXT2_I_SIZE(inode);
    if (LINUX_S_ISLNK(inode->i_mode)) entry.link = link_of(fs, number, *inode);
    if (!overlay) return entry;
    if (LINUX_S_ISDIR(inode->i_mode)) entry.opaque = is_opaque(fs, number);
    // A device 0:0: both forms of a device number are zero then.
    entry.whiteout = LINUX_S_ISCHR(inode->i_mode) && inode->i_block[0] == 0 && inode->i_block[1] == 0;
    return entry;
}

struct Listing {
    std::vector<std::pair<std::string, ext2_ino_t>> entries;
};

int list_entry(ext2_ino_t, int, ext2_dir_entry* entry, int, int, char*, void* context) {
    std::string name(entry->name, static_cast<std::size_t>(ext2fs_dirent_name_len(entry)));
    auto& listing = *static_cast<Listing*>(context);
    if (name != "." && name != "..") listing.entries.emplace_back(std::move(name), entry->inode);
    return listing.entries.size() > most_entries ? DIRENT_ABORT : 0;
}

}  // namespace

DiskTree::DiskTree(const std::string& disk, std::uint64_t offset) : disk_(disk) {
    const std::string options = "offset=" + std::to_string(offset);
    check(ext2fs_open2(disk.c_str(), options.c_str(), EXT2_FLAG_64BITS, 0, 0, unix_io_manager, &fs_),
          "cannot read " + disk);
}

DiskTree::~DiskTree() {
    ext2fs_close_free(&fs_);
}

Tree DiskTree::upper() const {
    return below("/upper", true);
}

Tree DiskTree::whole() const {
    return below("/", false);
}

Tree DiskTree::below(const char* top, bool overlay) const try {
    Tree tree;
    ext2_ino_t first = 0;
    check(ext2fs_namei(fs_, EXT2_ROOT_INO, EXT2_ROOT_INO, top, &first), top);
    std::vector<std::pair<std::string, ext2_ino_t>> folders{{"", first}};
    std::set<ext2_ino_t> seen{first};  // a damaged disk may have a folder within itself
    while (!folders.empty()) {
        throw_if_interrupted();
        const auto [path, number] = folders.back();
        folders.pop_back();
        Listing listing;
        check(ext2fs_dir_iterate2(fs_, number, 0, nullptr, list_entry, &listing), "cannot list " + path);
        for (const auto& [name, inode] : listing.entries) {
            TreeEntry entry = read_entry(fs_, inode, overlay);
            if (entry.folder()) {
                if (!seen.insert(inode).second) throw Error(ErrorKind::failed, "a folder is there twice");
                folders.emplace_back(path + "/" + name, inode);
            }
            tree.emplace(path + "/" + name, std::move(entry));
        }
        if (tree.size() > most_entries)
            throw Error(ErrorKind::failed, "it has more than a million files",
                        "compare them inside the guest");
    }
    return tree;
} catch (Error& e) {
    throw e.in(disk_);
}

bool DiskTree::same_content(std::uint32_t inode, const DiskTree& other, std::uint32_t others) const {
    File a = open_file(fs_, inode), b = open_file(other.fs_, others);
    std::vector<char> first(piece), second(piece);
    for (;;) {
        throw_if_interrupted();
        const unsigned got = read_more(a, first.data(), piece);
        if (read_more(b, second.data(), piece) != got || std::memcmp(first.data(), second.data(), got) != 0)
            return false;
        if (got < piece) return true;
    }
}

}  // namespace clara
