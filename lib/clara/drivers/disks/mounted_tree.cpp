#include "clara/drivers/disks/mounted_tree.hpp"

#include <fcntl.h>
#include <sys/stat.h>

#include <cerrno>
#include <climits>

#include "clara/base/error.hpp"
#include "clara/base/files.hpp"
#include "clara/base/in_root.hpp"

namespace clara {
namespace {

constexpr std::size_t most_text = 1 << 20;

}  // namespace

std::optional<std::string> MountedTree::read(const std::string& path) const {
    const Fd file = open_in_root(root_, path, O_RDONLY | O_NONBLOCK | O_NOCTTY);
    struct stat st {};
    if (!file || ::fstat(file.get(), &st) != 0 || !S_ISREG(st.st_mode)) return std::nullopt;
    return read_file("/proc/self/fd/" + std::to_string(file.get()), most_text);
}

std::vector<std::string> MountedTree::list(const std::string& path) const {
    const Fd folder = open_in_root(root_, path, O_RDONLY | O_DIRECTORY);
    return folder ? list_dir(folder.get()) : std::vector<std::string>{};
}

bool MountedTree::exists(const std::string& path) const {
    return static_cast<bool>(open_in_root(root_, path, O_PATH | O_NOFOLLOW));
}

std::optional<std::string> MountedTree::link_target(const std::string& path) const {
    const Fd link = open_in_root(root_, path, O_PATH | O_NOFOLLOW);
    char target[PATH_MAX];
    const ssize_t size = link ? ::readlinkat(link.get(), "", target, sizeof target) : -1;
    if (size < 0) return std::nullopt;
    return std::string(target, static_cast<std::size_t>(size));
}

}  // namespace clara
