// The files of an ext2, ext3 or ext4 file system that nobody has mounted, through libext2fs.
#pragma once
#include <sys/types.h>

#include <cstdint>
#include <ctime>
#include <functional>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "clara/base/handle.hpp"
#include "clara/ops/volumes.hpp"

struct struct_ext2_filsys;

namespace clara {

void close_ext_fs(struct_ext2_filsys* fs);

struct FileAttributes {
    uid_t uid = 0;
    gid_t gid = 0;
    mode_t mode = 0644;     ///< permissions alone
    std::time_t mtime = 0;  ///< 0: now
};

struct FileStat {
    enum class Kind { file, folder, link, other } kind = Kind::other;
    FileAttributes attributes;
    std::uint64_t size = 0;
};

/// Paths are absolute, inside. Symbolic links on the way to the last part of a path are followed, and never
/// out of the file system.
class ExtFiles {
  public:
    enum class Access { read, write };
    /// `device`: a file of plain blocks, of which `volume` is the file system. Error{failed} where it cannot
    /// be read, and with Access::write where it is unclean.
    ExtFiles(const std::string& device, const Volume& volume, Access access);
    /// It was not unmounted, or an error was found in it: repair_ext() has to come first.
    bool unclean() const;

    /// Of a file, links at the end followed; nullopt where there is none. Error{refused} above `limit` bytes.
    std::optional<std::string> read(const std::string& path, std::size_t limit = 1 << 20) const;
    /// Its last bytes, at most so many.
    std::optional<std::string> read_end(const std::string& path, std::size_t last) const;
    /// Names in a folder, sorted; empty where there is no such folder.
    std::vector<std::string> list(const std::string& path) const;
    /// A link at the end is not followed.
    std::optional<FileStat> stat(const std::string& path) const;
    /// Where the link leads, as it is written; nullopt where the path is no link.
    std::optional<std::string> link_target(const std::string& path) const;

    /// Makes the file or gives an existing one a new content. A link or a file with several names at that
    /// path is replaced. Missing folders on the way are made as root's, 0755.
    void write(const std::string& path, std::string_view content, const FileAttributes& attributes);
    /// The same from an open file of the host.
    void write_from(const std::string& path, int source, const FileAttributes& attributes);
    /// Makes the folder and those above it where they are missing; this one gets the attributes in any case.
    void make_folder(const std::string& path, const FileAttributes& attributes);
    /// In place of a file or link of that name.
    void make_link(const std::string& path, const std::string& target);
    /// A file, a link, a folder with all in it; absence is fine.
    void remove(const std::string& path);

    /// Writes out what is still in memory. Without it a destructor leaves the changes half done.
    void close();

  private:
    using Pieces = std::function<std::string_view()>;  ///< the next piece; empty at the end
    void write_pieces(const std::string& path, const FileAttributes& attributes, const Pieces& next);
    std::uint32_t new_file(std::uint32_t folder, const std::string& name);
    std::uint32_t folder(const std::vector<std::string>& parts, std::size_t count);
    void link(std::uint32_t folder, const std::string& name, std::uint32_t inode, int type);
    void remove_entry(std::uint32_t folder, const std::string& name);
    void set(std::uint32_t inode, const FileAttributes& attributes);

    Handle<struct_ext2_filsys, close_ext_fs> fs_;
};

/// Replays the journal of a file system and mends what needs no questions (e2fsck -p); `device` holds nothing
/// else. Error{failed} where it is damaged.
void repair_ext(const std::string& device);

}  // namespace clara
