#include "clara/drivers/disks/fill_disk.hpp"

#include <fcntl.h>
#include <sys/stat.h>

#include <algorithm>
#include <cerrno>

#include "clara/base/error.hpp"
#include "clara/drivers/disks/guest_disk.hpp"
#include "clara/drivers/storage/fill.hpp"

namespace clara {
namespace {

Fd open_source(const std::string& path) {
    // O_NONBLOCK: a FIFO must not hang us before it is refused.
    Fd file(::open(path.c_str(), O_RDONLY | O_NONBLOCK | O_CLOEXEC));
    struct stat st {};
    if (!file || ::fstat(file.get(), &st) != 0) throw system_error("cannot read " + path, errno);
    if (!S_ISREG(st.st_mode)) throw Error(ErrorKind::usage, path + " is not a regular file");
    return file;
}

void place(GuestDisk& disk, const PlacedFile& file, const FillDisk& fill) {
    const uid_t owner = owner_id(file.owner, fill) + fill.idmap_base;
    const FileAttributes attributes{owner, owner, file.mode & 07777};
    if (file.source.empty())
        disk.write(file.path, file.content, attributes);
    else
        disk.write_from(file.path, open_source(file.source).get(), attributes);
}

}  // namespace

void fill_guest_disk(const std::string& path, const FillDisk& fill) {
    GuestDisk disk(path, "qcow2");
    for (const auto& entry : fill.folders) {
        const std::size_t space = std::min(entry.rfind(' '), entry.size());
        const std::string folder = entry.substr(0, space);
        const uid_t owner =
            (space < entry.size() ? owner_id(entry.substr(space + 1), fill) : 0) + fill.idmap_base;
        try {
            disk.make_folder(folder, {owner, owner, 0755});
        } catch (Error& e) {
            throw e.in("making folder " + folder);
        }
    }
    for (const auto& file : fill.files) {
        try {
            place(disk, file, fill);
        } catch (Error& e) {
            throw e.in("placing " + file.path);
        }
    }
    disk.close();
}

}  // namespace clara
