#include "clara/drivers/disks/foreign.hpp"

#include <fmt/format.h>

#include <filesystem>

#include "clara/base/error.hpp"
#include "clara/base/units.hpp"
#include "clara/drivers/disks/chain.hpp"
#include "clara/drivers/disks/qcow2_header.hpp"

namespace clara {
namespace {

void refuse_if(bool wrong, const std::string& path, const std::string& why, const std::string& hint) {
    if (wrong) throw Error(ErrorKind::refused, path + " " + why, hint);
}

/// From the headers alone, before qemu-img opens anything.
void inspect_qcow2(const std::string& path) {
    const auto chain = disk_chain(path, "qcow2");
    refuse_outside(chain, std::filesystem::absolute(path).parent_path().string());
    for (const auto& link : chain) {
        if (link.format != "qcow2") continue;
        const Qcow2Header header = read_qcow2_header(link.path);
        refuse_if(header.external_data, link.path, "keeps its data in another file",
                  "make it one file where it comes from: qemu-img convert -O qcow2");
        refuse_if(header.encrypted, link.path, "is encrypted", "decrypt it first: qemu-img convert");
        refuse_if(header.corrupt, link.path, "is marked as corrupt", "mend it: qemu-img check -r all");
    }
}

/// Its text may name further files anywhere; of these two kinds all is in the one file.
void inspect_vmdk(const std::string& path, const DiskInfo& info) {
    refuse_if(info.variant != "monolithicSparse" && info.variant != "streamOptimized", path,
              fmt::format("is a vmdk of kind {}, which refers to other files", info.variant),
              "make it one file where it comes from: qemu-img convert");
}

}  // namespace

DiskInfo inspect_foreign(const std::string& path, const std::string& format) {
    check_disk_format(format);
    if (!std::filesystem::exists(path)) throw Error(ErrorKind::failed, path + " is not there");
    if (format == "qcow2") inspect_qcow2(path);
    DiskInfo info = disk_info(path, format, Trust::foreign);
    if (format == "vmdk") inspect_vmdk(path, info);
    refuse_if(format != "qcow2" && !info.backing.empty(), path, "stands on " + info.backing,
              "flatten it first: qemu-img convert");
    refuse_if(info.size == 0, path, "is empty", "take a disk with a system on it");
    refuse_if(info.size > largest_disk, path, "says that it is a disk of " + size_text(info.size),
              "the largest is " + size_text(largest_disk));
    check_disk(path, format, Trust::foreign);
    return info;
}

}  // namespace clara
