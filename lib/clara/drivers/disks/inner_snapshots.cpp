#include "clara/drivers/disks/inner_snapshots.hpp"

#include <algorithm>

#include "clara/base/error.hpp"
#include "clara/base/files.hpp"
#include "clara/drivers/disks/qcow2_snapshots.hpp"
#include "clara/drivers/disks/qemu_img.hpp"
#include "clara/drivers/storage/layout.hpp"

namespace clara {
namespace {

constexpr const char* prefix = "clara.";
// Of a large disk that is written to all the time: a table for each 512 MiB of it.
constexpr std::chrono::minutes work_limit{30};

/// The program takes no -f here, so the format is said in QEMU's own way, where a comma is written twice.
std::string image_options(const std::string& disk) {
    std::string text = "driver=qcow2,file.driver=file,file.filename=";
    for (char c : disk) text += c == ',' ? ",," : std::string(1, c);
    return text;
}

void change(const std::string& disk, const char* how, const std::string& tag) {
    try {
        run_qemu_img({"snapshot", "-q", "--image-opts", how, tag, image_options(disk)}, Trust::ours,
                     {.timeout = work_limit});
    } catch (Error& e) {
        throw e.in(disk);
    }
}

}  // namespace

std::string snapshot_tag(const std::string& snapshot) {
    return prefix + snapshot;
}

std::vector<std::string> vm_disks(const std::string& pool, const std::string& guest) {
    const std::string folder = pool::guest(pool, guest);
    std::vector<std::string> disks;
    for (const auto& name : list_dir(folder))
        if (name.starts_with("disk") && name.ends_with(".qcow2")) disks.push_back(folder + "/" + name);
    if (disks.empty()) throw Error(ErrorKind::failed, "guest " + guest + " has no disk");
    return disks;
}

bool has_tag(const std::string& disk, const std::string& tag) {
    const auto all = read_inner_snapshots(disk);
    return std::any_of(all.begin(), all.end(), [&](const InnerSnapshot& one) { return one.name == tag; });
}

std::vector<std::string> orphan_tags(const std::string& pool, const std::string& guest,
                                     const std::string& disk) {
    std::vector<std::string> orphans;
    for (const auto& one : read_inner_snapshots(disk)) {
        if (!one.name.starts_with(prefix)) continue;
        const std::string snapshot = one.name.substr(std::string_view(prefix).size());
        // A tag with a slash in it is nobody's folder either.
        if (snapshot.empty() || snapshot.find('/') != std::string::npos || snapshot[0] == '.' ||
            !exists(pool::snapshot(pool, guest, snapshot)))
            orphans.push_back(one.name);
    }
    return orphans;
}

void make_tag(const std::string& disk, const std::string& tag) {
    change(disk, "-c", tag);
}

void delete_tag(const std::string& disk, const std::string& tag) {
    change(disk, "-d", tag);
}

void apply_tag(const std::string& disk, const std::string& tag) {
    for (const auto& bitmap : disk_info(disk, "qcow2").bitmaps)
        run_qemu_img({"bitmap", "--remove", "-f", "qcow2", disk, bitmap}, Trust::ours);
    change(disk, "-a", tag);
}

void delete_orphans(const std::string& pool, const std::string& guest) {
    for (const auto& disk : vm_disks(pool, guest))
        for (const auto& tag : orphan_tags(pool, guest, disk)) delete_tag(disk, tag);
}

}  // namespace clara
