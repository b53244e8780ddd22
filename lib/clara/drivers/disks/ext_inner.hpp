// What ext_files.cpp and ext_write.cpp share.
#pragma once
#include <cstdint>
#include <string>
#include <vector>

#include "clara/base/handle.hpp"
#include "clara/drivers/storage/ext2fs.hpp"

namespace clara::ext {

/// Error{failed} "WHAT: what libext2fs says".
void check(errcode_t code, const std::string& what);

/// "/a/b" -> a, b. Error{usage} for a relative path, and for one with . or ..
std::vector<std::string> split(const std::string& path);

/// 0 where the path leads to nothing.
ext2_ino_t find(ext2_filsys fs, ext2_ino_t from, const std::string& path, bool follow);

ext2_inode read_inode(ext2_filsys fs, ext2_ino_t number, const std::string& what);

void close_file(ext2_file_t file);
using File = Handle<ext2_file, close_file>;
File open_file(ext2_filsys fs, ext2_ino_t number, int flags, const std::string& what);

}  // namespace clara::ext
