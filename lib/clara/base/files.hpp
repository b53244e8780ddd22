// File work as root: relative to open folders, symbolic links never followed, fsync before rename.
#pragma once
#include <sys/types.h>

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "clara/base/handle.hpp"

namespace clara {

/// Open a folder (O_PATH is not used: the result can be fsynced). Throws Error.
Fd open_dir(const std::string& path);
/// Open the folder `name` below `dir`; a symbolic link is refused.
Fd open_dir_at(int dir, const std::string& name);
/// As open_dir_at, made first (mode) where it is missing.
Fd make_dir_at(int dir, const std::string& name, mode_t mode = 0755);
/// mkdir -p -m MODE: the mode is that of the last one, those above it that are missing get 0755.
void make_dirs(const std::string& path, mode_t mode = 0755);

bool exists(const std::string& path);
bool exists_at(int dir, const std::string& name);

/// The file's text; absence is nullopt, more than `limit` bytes an Error.
std::optional<std::string> read_file_at(int dir, const std::string& name, std::size_t limit = 16 << 20);
std::optional<std::string> read_file(const std::string& path, std::size_t limit = 16 << 20);

/// How much of a write survives a power cut once it returned.
enum class Durable {
    whole,    ///< all: file and folder are fsynced
    content,  ///< the old or the new file, each whole; the caller fsyncs the folder when it matters
    nothing,  ///< for what can be made again
};

/// Write under a partial name, fsync, rename over `name`, fsync the folder.
void write_file_at(int dir, const std::string& name, std::string_view text, mode_t mode = 0644,
                   Durable durable = Durable::whole);
void write_file(const std::string& path, std::string_view text, mode_t mode = 0644);

void write_all(int fd, std::string_view text);

void fsync_or_throw(int fd, const std::string& what);

/// Names in a folder without "." and "..", sorted.
std::vector<std::string> list_dir(int dir);
std::vector<std::string> list_dir(const std::string& path);

/// rm -r of one entry; symbolic links are removed, not followed; absence is fine.
void remove_tree_at(int dir, const std::string& name);

/// Copy a file with its holes: reflink where the file system can, else SEEK_DATA + copy_file_range.
void copy_sparse(int from, int to);

/// Bytes free for us on the file system of `path`.
std::uint64_t free_bytes(const std::string& path);

/// Path of a program of ours that nobody types: in the folder of the running executable (e.g. /usr/bin), in
/// ../lib/clara, or in ../sbin, from where alone AppArmor lets libvirtd start programs.
std::string helper_path(const std::string& program);

}  // namespace clara
