#include "clara/drivers/storage/guest_folder.hpp"

#include <fcntl.h>

#include <algorithm>
#include <cerrno>

#include "clara/base/error.hpp"
#include "clara/base/files.hpp"
#include "clara/drivers/storage/mount.hpp"

namespace clara {

std::vector<Fd> claim_disks(int guest) {
    std::vector<Fd> disks;
    for (const auto& name : list_dir(guest))
        if (name == "disk.raw" || name.ends_with(".qcow2"))
            disks.push_back(open_disk(guest, name, disk_release));
    return disks;
}

void sync_files(int folder) {
    const auto names = list_dir(folder);
    auto has = [&](const char* name) { return std::find(names.begin(), names.end(), name) != names.end(); };
    if (!has("guest.yaml")) throw Error(ErrorKind::failed, "cannot open guest.yaml: there is none");
    if (!has("disk.raw") && !has("disk.qcow2")) throw Error(ErrorKind::failed, "the guest has no disk");
    for (const auto& name : names) {
        Fd file(::openat(folder, name.c_str(), O_RDONLY | O_NOFOLLOW | O_NONBLOCK | O_CLOEXEC));
        if (!file) throw system_error("cannot open " + name, errno);
        fsync_or_throw(file.get(), name);
    }
}

}  // namespace clara
