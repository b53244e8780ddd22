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

std::string path_of(int file) {
    return fmt::format("/proc/{}/fd/{}", ::getpid(), file);
}

}  // namespace

ScratchDisk::ScratchDisk(const std::function<void(int file)>& make)
    : file_(::open(folder, O_TMPFILE | O_RDWR | O_CLOEXEC, 0600)) {
    if (!file_) throw system_error(std::string("cannot make a file in ") + folder, errno);
    make(file_.get());
}

ScratchDisk::ScratchDisk(std::uint64_t size)
    : ScratchDisk([size](int file) {
          run_qemu_img({"create", "-q", "-f", "qcow2", path_of(file), std::to_string(size)}, Trust::ours);
      }) {}

std::string ScratchDisk::path() const {
    return path_of(file_.get());
}

std::vector<ChainLink> ScratchDisk::above(const std::vector<ChainLink>& disk) const {
    std::vector<ChainLink> chain{{path(), "qcow2"}};
    chain.insert(chain.end(), disk.begin(), disk.end());
    return chain;
}

}  // namespace clara
