#include "clara/drivers/storage/disk_file.hpp"

#include <algorithm>
#include <memory>

#include "clara/base/error.hpp"
#include "clara/base/handle.hpp"
#include "clara/drivers/storage/ext2fs.hpp"

namespace clara {
namespace {

void close_fs(ext2_filsys fs) {
    ext2fs_close(fs);
}
void close_file(ext2_file_t file) {
    ext2fs_file_close(file);
}

void check(errcode_t code, const std::string& what) {
    if (code) throw Error(ErrorKind::failed, what + ": " + error_message(code));
}

}  // namespace

std::optional<std::string> read_disk_file(const std::string& disk, const std::string& path,
                                          std::size_t limit) {
    ext2_filsys opened = nullptr;
    check(ext2fs_open(disk.c_str(), EXT2_FLAG_64BITS, 0, 0, unix_io_manager, &opened), "cannot read " + disk);
    Handle<struct_ext2_filsys, close_fs> fs(opened);

    ext2_ino_t number = 0;
    errcode_t code = ext2fs_namei(fs.get(), EXT2_ROOT_INO, EXT2_ROOT_INO, path.c_str(), &number);
    if (code == EXT2_ET_FILE_NOT_FOUND || code == EXT2_ET_NO_DIRECTORY) return std::nullopt;
    check(code, disk + ": " + path);
    ext2_inode inode{};
    check(ext2fs_read_inode(fs.get(), number, &inode), disk + ": " + path);
    if (!LINUX_S_ISREG(inode.i_mode)) return std::nullopt;

    ext2_file_t raw = nullptr;
    check(ext2fs_file_open(fs.get(), number, 0, &raw), disk + ": " + path);
    Handle<ext2_file, close_file> file(raw);
    __u64 size = 0;
    check(ext2fs_file_get_lsize(file.get(), &size), disk + ": " + path);
    const __u64 begin = size > limit ? size - limit : 0;
    check(ext2fs_file_llseek(file.get(), begin, EXT2_SEEK_SET, nullptr), disk + ": " + path);
    std::string text(size - begin, '\0');
    for (std::size_t at = 0; at < text.size();) {
        unsigned got = 0;
        auto want = static_cast<unsigned>(std::min<std::size_t>(text.size() - at, 1 << 20));
        check(ext2fs_file_read(file.get(), text.data() + at, want, &got), disk + ": " + path);
        if (got == 0) {
            text.resize(at);
            break;
        }
        at += got;
    }
    return text;
}

}  // namespace clara
