#include "clara/drivers/disks/inspect.hpp"

#include <fcntl.h>
#include <fmt/format.h>
#include <unistd.h>

#include <cerrno>
#include <filesystem>

#include "clara/base/error.hpp"
#include "clara/drivers/disks/disk_hold.hpp"
#include "clara/drivers/disks/foreign.hpp"
#include "clara/drivers/disks/guest_disk.hpp"

namespace clara {
namespace {

namespace fs = std::filesystem;
constexpr const char* scratch_folder = "/var/tmp";  // on a disk: a journal may be of a gigabyte

/// A qcow2 without a name for what must not be written to the disk itself.
class Scratch {
  public:
    explicit Scratch(std::uint64_t size)
        : file_(::open(scratch_folder, O_TMPFILE | O_RDWR | O_CLOEXEC, 0600)) {
        if (!file_) throw system_error(std::string("cannot make a file in ") + scratch_folder, errno);
        run_qemu_img({"create", "-q", "-f", "qcow2", path(), std::to_string(size)}, Trust::ours);
    }
    std::string path() const { return fmt::format("/proc/{}/fd/{}", ::getpid(), file_.get()); }

  private:
    Fd file_;
};

/// "NAME@DIGEST" of a path POOL/images/NAME@DIGEST/disk.qcow2; else empty.
std::string image_of(const std::string& path) {
    const fs::path file(path), folder = file.parent_path();
    if (file.filename() != "disk.qcow2" || folder.parent_path().filename() != "images") return {};
    const std::string id = folder.filename().string();
    return id.find('@') == std::string::npos ? std::string() : id;
}

void look_into(const std::vector<ChainLink>& source, SourceFact& fact) {
    const Scratch scratch(fact.size);
    std::vector<ChainLink> chain{{scratch.path(), "qcow2"}};
    chain.insert(chain.end(), source.begin(), source.end());
    try {
        const GuestDisk disk(chain);
        fact.system = disk.system().kind;
        fact.distribution = disk.system().distribution;
        fact.name = disk.system().name;
        fact.obstacle = disk.system().obstacle;
        fact.firmware = firmware_of(disk.volumes(), disk.boot_code());
        if (fact.system == "linux" && fact.obstacle.empty()) read_linux(disk, fact);
    } catch (const Error& e) {  // people know it by another name
        std::string text = e.message();
        if (const auto at = text.find(scratch.path()); at != std::string::npos)
            text.replace(at, scratch.path().size(), source.front().path);
        throw Error(e.kind(), text, e.hint());
    }
}

}  // namespace

SourceFact inspect_source(const std::string& path, const std::string& format, bool foreign) {
    check_disk_format(format);
    if (!fs::exists(path)) throw Error(ErrorKind::failed, path + " is not there");
    const Fd held = hold_disk(path);
    const Trust trust = foreign ? Trust::foreign : Trust::ours;
    SourceFact fact;
    if (foreign) {
        fact.size = inspect_foreign(path, format).size;
    } else {
        fact.size = disk_info(path, format).size;
        check_disk(path, format);
    }
    // Nobody knows the holes of a device.
    fact.needs = is_block_device(path) ? 0 : copy_needs(path, format, trust);
    const auto chain = disk_chain(path, format);
    for (std::size_t i = 1; i < chain.size() && fact.image.empty(); ++i) fact.image = image_of(chain[i].path);
    look_into(chain, fact);
    return fact;
}

}  // namespace clara
