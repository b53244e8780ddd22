#include "clara/drivers/disks/ext_files.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <cctype>

#include "clara/base/error.hpp"
#include "clara/base/process.hpp"
#include "clara/drivers/disks/ext_inner.hpp"

namespace clara {
namespace ext {

void check(errcode_t code, const std::string& what) {
    if (!code) return;
    static const bool known = [] {
        initialize_ext2_error_table();
        return true;
    }();
    const bool full = known && (code == EXT2_ET_BLOCK_ALLOC_FAIL || code == EXT2_ET_INODE_ALLOC_FAIL);
    throw Error(ErrorKind::failed,
                what + ": " + (full ? "no space left in the guest's file system" : error_message(code)),
                full ? "give the guest a larger disk, or make room inside" : "");
}

std::vector<std::string> split(const std::string& path) {
    std::vector<std::string> parts;
    for (std::size_t at = 1; at <= path.size();) {
        const std::size_t end = std::min(path.find('/', at), path.size());
        std::string part = path.substr(at, end - at);
        if (part == "." || part == ".." || part.size() > EXT2_NAME_LEN)
            throw Error(ErrorKind::usage, path + " must not contain " + part);
        if (!part.empty()) parts.push_back(std::move(part));
        at = end + 1;
    }
    if (path.empty() || path[0] != '/')
        throw Error(ErrorKind::usage, "'" + path + "' is not an absolute path inside the guest");
    return parts;
}

ext2_ino_t find(ext2_filsys fs, ext2_ino_t from, const std::string& path, bool follow) {
    ext2_ino_t number = 0;
    const errcode_t code = follow ? ext2fs_namei_follow(fs, EXT2_ROOT_INO, from, path.c_str(), &number)
                                  : ext2fs_namei(fs, EXT2_ROOT_INO, from, path.c_str(), &number);
    if (code == EXT2_ET_FILE_NOT_FOUND || code == EXT2_ET_NO_DIRECTORY) return 0;
    check(code, path);
    return number;
}

ext2_inode read_inode(ext2_filsys fs, ext2_ino_t number, const std::string& what) {
    ext2_inode inode{};
    check(ext2fs_read_inode(fs, number, &inode), what);
    return inode;
}

void close_file(ext2_file_t file) {
    ext2fs_file_close(file);
}

File open_file(ext2_filsys fs, ext2_ino_t number, int flags, const std::string& what) {
    ext2_file_t file = nullptr;
    check(ext2fs_file_open(fs, number, flags, &file), what);
    return File(file);
}

}  // namespace ext

namespace {

// e2fsck(8): bits of its status; above 2 the file system was left as it is.
constexpr int fsck_worst_fine = 2;
constexpr std::chrono::minutes fsck_longest{30};

using ext::check;
using Fs = Handle<struct_ext2_filsys, close_ext_fs>;

Fs open_fs(const std::string& device, const Volume& volume, ExtFiles::Access access) {
    const bool write = access == ExtFiles::Access::write;
    const std::string options = "offset=" + std::to_string(volume.offset);
    ext2_filsys opened = nullptr;
    check(ext2fs_open2(device.c_str(), options.c_str(), EXT2_FLAG_64BITS | (write ? EXT2_FLAG_RW : 0), 0, 0,
                       unix_io_manager, &opened),
          "cannot read the file system");
    Fs fs(opened);
    if (ext2fs_blocks_count(fs->super) > volume.size / fs->blocksize)
        throw Error(ErrorKind::failed, "the file system says that it is larger than its partition");
    return fs;
}

std::string last_line(std::string text) {
    while (!text.empty() && std::isspace(static_cast<unsigned char>(text.back()))) text.pop_back();
    return text.substr(text.rfind('\n') + 1);
}

int add_name(ext2_dir_entry* entry, int, int, char*, void* names) {
    std::string name(entry->name, static_cast<std::size_t>(ext2fs_dirent_name_len(entry)));
    if (name != "." && name != "..")
        static_cast<std::vector<std::string>*>(names)->push_back(std::move(name));
    return 0;
}

}  // namespace

void close_ext_fs(struct_ext2_filsys* fs) {
    ext2fs_free(fs);
}

ExtFiles::ExtFiles(const std::string& device, const Volume& volume, Access access)
    : fs_(open_fs(device, volume, access)) {
    if (access == Access::read) return;
    if (unclean()) throw Error(ErrorKind::failed, "the file system was not unmounted in order");
    // As e2fsck does: copies of the superblock are for the day when the first one is lost.
    fs_->flags |= EXT2_FLAG_MASTER_SB_ONLY;
    check(ext2fs_read_bitmaps(fs_.get()), "cannot read the file system's bitmaps");
}

bool ExtFiles::unclean() const {
    const auto& super = *fs_->super;
    return ext2fs_has_feature_journal_needs_recovery(fs_->super) || !(super.s_state & EXT2_VALID_FS) ||
           (super.s_state & EXT2_ERROR_FS);
}

void repair_ext(const std::string& device) {
    // e2fsck also takes FILE?offset=N, but forgets the offset once it has replayed the journal (1.47.0).
    const RunResult result = run({"/sbin/e2fsck", "-p", device}, {.timeout = fsck_longest});
    if (result.status <= fsck_worst_fine) return;
    throw Error(ErrorKind::failed,
                fmt::format("the file system is damaged: e2fsck -p ended with status {}: {}", result.status,
                            last_line(result.out.empty() ? result.err : result.out)),
                "start the guest it comes from and let it check its disk, then stop it in order");
}

std::optional<std::string> ExtFiles::read(const std::string& path, std::size_t limit) const {
    auto text = read_end(path, limit + 1);
    if (text && text->size() > limit)
        throw Error(ErrorKind::refused, fmt::format("{} is larger than {} bytes", path, limit));
    return text;
}

std::optional<std::string> ExtFiles::read_end(const std::string& path, std::size_t last) const {
    const ext2_ino_t number = ext::find(fs_.get(), EXT2_ROOT_INO, path, true);
    if (number == 0) return std::nullopt;
    if (!LINUX_S_ISREG(ext::read_inode(fs_.get(), number, path).i_mode)) return std::nullopt;
    ext::File file = ext::open_file(fs_.get(), number, 0, path);
    __u64 size = 0;
    check(ext2fs_file_get_lsize(file.get(), &size), path);
    std::string text(std::min<__u64>(size, last), '\0');
    check(ext2fs_file_llseek(file.get(), size - text.size(), EXT2_SEEK_SET, nullptr), path);
    for (std::size_t at = 0; at < text.size();) {
        unsigned got = 0;
        check(ext2fs_file_read(file.get(), text.data() + at, static_cast<unsigned>(text.size() - at), &got),
              path);
        if (got == 0) text.resize(at);
        at += got;
    }
    return text;
}

std::vector<std::string> ExtFiles::list(const std::string& path) const {
    const ext2_ino_t number = ext::find(fs_.get(), EXT2_ROOT_INO, path, true);
    if (number == 0 || !LINUX_S_ISDIR(ext::read_inode(fs_.get(), number, path).i_mode)) return {};
    std::vector<std::string> names;
    check(ext2fs_dir_iterate(fs_.get(), number, 0, nullptr, add_name, &names), path);
    std::sort(names.begin(), names.end());
    return names;
}

std::optional<FileStat> ExtFiles::stat(const std::string& path) const {
    const ext2_ino_t number = ext::find(fs_.get(), EXT2_ROOT_INO, path, false);
    if (number == 0) return std::nullopt;
    ext2_inode inode = ext::read_inode(fs_.get(), number, path);
    FileStat st;
    if (LINUX_S_ISREG(inode.i_mode)) st.kind = FileStat::Kind::file;
    if (LINUX_S_ISDIR(inode.i_mode)) st.kind = FileStat::Kind::folder;
    if (LINUX_S_ISLNK(inode.i_mode)) st.kind = FileStat::Kind::link;
    st.attributes = {inode_uid(inode), inode_gid(inode), static_cast<mode_t>(inode.i_mode & 07777),
                     static_cast<std::time_t>(inode.i_mtime)};
    st.size = EXT2_I_SIZE(&inode);
    return st;
}

std::optional<std::string> ExtFiles::link_target(const std::string& path) const {
    const ext2_ino_t number = ext::find(fs_.get(), EXT2_ROOT_INO, path, false);
    if (number == 0) return std::nullopt;
    ext2_inode inode = ext::read_inode(fs_.get(), number, path);
    if (!LINUX_S_ISLNK(inode.i_mode)) return std::nullopt;
    const std::uint64_t size = EXT2_I_SIZE(&inode);
    if (size > 4096) throw Error(ErrorKind::failed, path + ": a link of " + std::to_string(size) + " bytes");
    if (ext2fs_is_fast_symlink(&inode))
        return std::string(reinterpret_cast<const char*>(inode.i_block),
                           std::min<std::size_t>(size, sizeof inode.i_block));
    ext::File file = ext::open_file(fs_.get(), number, 0, path);
    std::string text(size, '\0');
    unsigned got = 0;
    check(ext2fs_file_read(file.get(), text.data(), static_cast<unsigned>(size), &got), path);
    text.resize(got);
    return text;
}

void ExtFiles::close() {
    ext2_filsys fs = fs_.release();
    check(ext2fs_close_free(&fs), "cannot write the file system");
}

}  // namespace clara
