#include "clara/drivers/disks/linked.hpp"

#include <fcntl.h>
#include <sys/stat.h>

#include <cerrno>
#include <filesystem>

#include "clara/base/error.hpp"
#include "clara/base/files.hpp"
#include "clara/drivers/disks/chain.hpp"

namespace clara {
namespace {

namespace fs = std::filesystem;
constexpr std::uint64_t metadata = 1 << 20;  // bytes of an empty qcow2's tables, generously

struct stat stat_of(const std::string& path) {
    struct stat st {};
    if (::stat(path.c_str(), &st) != 0) throw system_error("cannot examine " + path, errno);
    return st;
}

/// How many files the disk has above `backing` in its chain; nullopt where it does not stand on it.
std::optional<std::size_t> links_above(const std::vector<ChainLink>& chain, const std::string& backing) {
    const struct stat base = stat_of(backing);
    for (std::size_t i = 0; i < chain.size(); ++i)
        if (const struct stat st = stat_of(chain[i].path);
            st.st_dev == base.st_dev && st.st_ino == base.st_ino)
            return i;
    return std::nullopt;
}

}  // namespace

void copy_linked(const std::string& source, const std::string& format, const std::string& target,
                 const std::string& backing, const ConvertOptions& options) {
    const fs::path path = fs::absolute(target).lexically_normal();
    const std::string base = (path.parent_path() / backing).lexically_normal().string();
    const auto above = links_above(disk_chain(source, format), base);
    if (above == std::size_t{0}) {
        create_linked(open_dir(path.parent_path().string()).get(), path.filename().string(), backing, 0);
        return;
    }
    ConvertOptions linked = options;
    linked.backing = backing;
    linked.compare = above != std::size_t{1};
    convert_disk(source, format, target, linked);
}

std::uint64_t linked_needs(const std::string& source, const std::string& format, const std::string& backing) {
    const auto chain = disk_chain(source, format);
    const auto above = links_above(chain, backing);
    if (!above) return copy_needs(source, format);
    std::uint64_t bytes = metadata;
    for (std::size_t i = 0; i < *above; ++i)
        bytes += static_cast<std::uint64_t>(stat_of(chain[i].path).st_blocks) * 512;
    return bytes;
}

}  // namespace clara
