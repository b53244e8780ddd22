#include "clara/drivers/disks/inspect.hpp"

#include <filesystem>

#include "clara/base/error.hpp"
#include "clara/drivers/disks/disk_hold.hpp"
#include "clara/drivers/disks/foreign.hpp"
#include "clara/drivers/disks/guest_disk.hpp"
#include "clara/drivers/disks/scratch_disk.hpp"

namespace clara {
namespace {

namespace fs = std::filesystem;

/// "NAME@DIGEST" of a path POOL/images/NAME@DIGEST/disk.qcow2; else empty.
std::string image_of(const std::string& path) {
    const fs::path file(path), folder = file.parent_path();
    if (file.filename() != "disk.qcow2" || folder.parent_path().filename() != "images") return {};
    const std::string id = folder.filename().string();
    return id.find('@') == std::string::npos ? std::string() : id;
}

void look_into(const std::vector<ChainLink>& source, SourceFact& fact) {
    const ScratchDisk scratch(fact.size);
    const std::vector<ChainLink> chain = scratch.above(source);
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
