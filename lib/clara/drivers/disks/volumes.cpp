#include "clara/drivers/disks/volumes.hpp"

#include <blkid/blkid.h>
#include <endian.h>
#include <ext2fs/ext2_fs.h>
#include <fcntl.h>
#include <fmt/format.h>
#include <sys/stat.h>

#include <algorithm>
#include <array>
#include <cerrno>

#include "clara/base/error.hpp"
#include "clara/base/handle.hpp"

namespace clara {
namespace {

using Probe = Handle<std::remove_pointer_t<blkid_probe>, blkid_free_probe>;
constexpr std::uint64_t sector = 512;  // libblkid counts in these, whatever the disk's are

Probe new_probe(int fd, std::uint64_t offset, std::uint64_t size) {
    Probe probe(blkid_new_probe());
    if (!probe || blkid_probe_set_device(probe.get(), fd, static_cast<blkid_loff_t>(offset),
                                         static_cast<blkid_loff_t>(size)) != 0)
        throw Error(ErrorKind::failed, "cannot look for file systems");
    return probe;
}

std::string value(const Probe& probe, const char* name) {
    const char* text = nullptr;
    return blkid_probe_lookup_value(probe.get(), name, &text, nullptr) == 0 ? text : "";
}

void look_at(int fd, Volume& volume) {
    Probe probe = new_probe(fd, volume.offset, volume.size);
    blkid_probe_enable_superblocks(probe.get(), 1);
    blkid_probe_set_superblocks_flags(probe.get(),
                                      BLKID_SUBLKS_TYPE | BLKID_SUBLKS_UUID | BLKID_SUBLKS_LABEL);
    // 1: nothing known, -2: more than one thing; either way there is nothing to be edited.
    if (blkid_do_safeprobe(probe.get()) != 0) return;
    volume.type = value(probe, "TYPE");
    volume.uuid = value(probe, "UUID");
    volume.label = value(probe, "LABEL");
}

std::string type_of(blkid_partition part) {
    if (const char* text = blkid_partition_get_type_string(part)) return text;  // GPT
    return fmt::format("{:#x}", blkid_partition_get_type(part));
}

std::vector<Volume> partitions(int fd, std::uint64_t size) {
    Probe probe = new_probe(fd, 0, size);
    blkid_probe_enable_partitions(probe.get(), 1);
    blkid_partlist list = blkid_probe_get_partitions(probe.get());
    std::vector<Volume> volumes;
    for (int i = 0; list && i < blkid_partlist_numof_partitions(list); ++i) {
        blkid_partition part = blkid_partlist_get_partition(list, i);
        if (!part || blkid_partition_is_extended(part)) continue;
        Volume volume;
        volume.number = blkid_partition_get_partno(part);
        volume.offset = static_cast<std::uint64_t>(blkid_partition_get_start(part)) * sector;
        volume.size = static_cast<std::uint64_t>(blkid_partition_get_size(part)) * sector;
        if (const char* uuid = blkid_partition_get_uuid(part)) volume.part_uuid = uuid;
        volume.part_type = type_of(part);
        // A table may say anything.
        if (volume.offset >= size || volume.size > size - volume.offset || volume.size == 0) continue;
        volumes.push_back(std::move(volume));
    }
    return volumes;
}

Fd open_disk(const std::string& device) {
    Fd fd(::open(device.c_str(), O_RDONLY | O_CLOEXEC));
    if (!fd) throw system_error("cannot open the disk", errno);
    return fd;
}

/// Its partitions, or all of it.
std::vector<Volume> places(int fd) {
    struct stat st {};
    if (::fstat(fd, &st) != 0) throw system_error("cannot open the disk", errno);
    const auto size = static_cast<std::uint64_t>(st.st_size);
    std::vector<Volume> volumes = partitions(fd, size);
    if (volumes.empty()) volumes.push_back({.size = size});
    return volumes;
}

/// The magic number at its place, Documentation/filesystems/ext4/super.rst.
bool may_be_ext(int fd, const Volume& volume) {
    constexpr std::uint64_t at = 1024 + 0x38;
    std::uint16_t magic = 0;
    if (volume.size < at + sizeof magic) return false;
    if (::pread(fd, &magic, sizeof magic, static_cast<off_t>(volume.offset + at)) != sizeof magic)
        throw system_error("cannot read the disk", errno);
    return le16toh(magic) == EXT2_SUPER_MAGIC;
}

}  // namespace

bool has_boot_code(const std::string& device) {
    Fd fd(::open(device.c_str(), O_RDONLY | O_CLOEXEC));
    std::array<char, 440> code{};
    if (!fd || ::pread(fd.get(), code.data(), code.size(), 0) < 0)
        throw system_error("cannot read the disk", errno);
    return std::any_of(code.begin(), code.end(), [](char byte) { return byte != 0; });
}

std::vector<Volume> find_volumes(const std::string& device) {
    const Fd fd = open_disk(device);
    std::vector<Volume> volumes = places(fd.get());
    for (auto& volume : volumes) look_at(fd.get(), volume);
    return volumes;
}

std::vector<Volume> find_ext_volumes(const std::string& device) {
    const Fd fd = open_disk(device);
    std::vector<Volume> volumes = places(fd.get());
    std::erase_if(volumes, [&](Volume& volume) {
        if (!may_be_ext(fd.get(), volume)) return true;
        look_at(fd.get(), volume);  // it may be one that was there before something else
        return !volume.editable();
    });
    return volumes;
}

}  // namespace clara
