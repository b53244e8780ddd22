#include "clara/drivers/disks/scratch_disk.hpp"

#include <fcntl.h>
#include <fmt/format.h>
#include <unistd.h>

#include <cerrno>

#include "clara/base/error.hpp"
#include "clara/drivers/disks/qemu_img.hpp"

namespace clara {
namespace {
constexpr const char* folder = "/var/tmp";  // on a disk: a journal may be of a gigabyte
}

ScratchDisk::ScratchDisk(std::uint64_t size) : file_(::open(folder, O_TMPFILE | O_RDWR | O_CLOEXEC, 0600)) {
    if (!file_) throw system_error(std::string("cannot make a file in ") + folder, errno);
    run_qemu_img({"create", "-q", "-f", "qcow2", path(), std::to_string(size)}, Trust::ours);
}

std::string ScratchDisk::path() const {
    return fmt::format("/proc/{}/fd/{}", ::getpid(), file_.get());
}

std::vector<ChainLink> ScratchDisk::above(const std::vector<ChainLink>& disk) const {
    std::vector<ChainLink> chain{{path(), "qcow2"}};
    chain.insert(chain.end(), disk.begin(), disk.end());
    return chain;
}

}  // namespace clara
