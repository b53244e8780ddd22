#include "clara/drivers/images/root_times.hpp"

#include "clara/base/error.hpp"
#include "clara/base/handle.hpp"
#include "clara/drivers/storage/ext2fs.hpp"

namespace clara {
namespace {

using Inodes = Handle<ext2_struct_inode_scan, ext2fs_close_inode_scan>;

void check(errcode_t code, const char* what) {
    if (code != 0) throw Error(ErrorKind::failed, std::string(what) + ": " + error_message(code));
}

void close_fs(ext2_filsys fs) {
    ext2fs_close_free(&fs);
}

}  // namespace

void forget_times(const std::string& disk, std::uint64_t offset) {
    ext2_filsys opened = nullptr;
    check(ext2fs_open2(disk.c_str(), ("offset=" + std::to_string(offset)).c_str(),
                       EXT2_FLAG_RW | EXT2_FLAG_64BITS, 0, 0, unix_io_manager, &opened),
          "cannot open the new file system");
    Handle<struct_ext2_filsys, close_fs> fs(opened);
    fs->now = 1;  // what the superblock is written with
    ext2_inode_scan begun = nullptr;
    check(ext2fs_open_inode_scan(fs.get(), 0, &begun), "cannot list the files");
    Inodes inodes(begun);
    ext2_inode_large inode{};
    auto* plain = reinterpret_cast<ext2_inode*>(&inode);
    for (ext2_ino_t number = 0;;) {
        check(ext2fs_get_next_inode_full(inodes.get(), &number, plain, sizeof inode), "cannot read an inode");
        if (number == 0) break;
        if (inode.i_links_count == 0) continue;
        inode.i_atime = inode.i_ctime = inode.i_mtime = inode.i_crtime = 0;
        inode.i_atime_extra = inode.i_ctime_extra = inode.i_mtime_extra = inode.i_crtime_extra = 0;
        inode.i_generation = 0;
        check(ext2fs_write_inode_full(fs.get(), number, plain, sizeof inode), "cannot write an inode");
    }
    inodes.reset();
    opened = fs.release();
    check(ext2fs_close_free(&opened), "cannot write the file system");
}

}  // namespace clara
