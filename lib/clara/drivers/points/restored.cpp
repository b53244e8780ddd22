#include "clara/drivers/points/restored.hpp"

#include <fcntl.h>
#include <fmt/format.h>
#include <sys/stat.h>

#include <cerrno>

#include "clara/base/error.hpp"
#include "clara/base/files.hpp"
#include "clara/base/log.hpp"
#include "clara/base/stall.hpp"
#include "clara/drivers/disks/convert.hpp"
#include "clara/drivers/disks/qemu_img.hpp"
#include "clara/drivers/disks/room.hpp"
#include "clara/drivers/points/files.hpp"
#include "clara/drivers/storage/folders.hpp"
#include "clara/drivers/storage/layout.hpp"
#include "clara/spec/guest.hpp"

namespace clara::points {
namespace {

constexpr std::chrono::hours convert_limit{24};

std::string folder_of(const RestorePoint& a) {
    return pool::guest(a.pool, a.replaces ? pool::restored(a.name) : pool::partial(a.name));
}

std::vector<std::string> disks_of(const RestorePoint& a, const std::string& point) {
    auto disks = disks_in(a.store, a.guest, a.point);
    if (disks.empty()) throw Error(ErrorKind::refused, point + " has no disk");
    return disks;
}

/// A container's disk is a plain file; holes stay holes.
void to_raw(const std::string& from, const std::string& folder) {
    const std::string to = folder + "/disk.raw";
    require_room(folder, copy_needs(from, "qcow2"), "the restored disk");
    RunOptions options;
    options.timeout = convert_limit;
    const RunResult result =
        run_qemu_img({"convert", "-f", "qcow2", "-O", "raw", "-S", "4k", from, to}, Trust::ours, options);
    if (result.status != 0) throw Error(ErrorKind::failed, "cannot restore the disk: " + result.err);
    if (::chmod(to.c_str(), 0600) != 0) throw system_error("cannot change the mode of " + to, errno);
}

void to_qcow2(const RestorePoint& a, const std::string& from, const std::string& name) {
    ConvertOptions options{.rate = a.rate, .mode = 0600};
    options.progress = [&](double percent) {
        log::status(fmt::format("restoring {}: {} {:.0f} %", a.name, name, percent));
    };
    convert_disk(from, "qcow2", folder_of(a) + "/" + name, options);
}

void copy_part(int from, int to, const std::string& name, mode_t mode) {
    if (auto text = read_file_at(from, name, 64 << 20))
        write_file_at(to, name, *text, mode, Durable::content);
}

}  // namespace

void restore(const RestorePoint& a) {
    const StallRegion region;  // qemu-img reads from the store
    const std::string point = pool::point(a.store, a.guest, a.point);
    if (!exists(point))
        throw Error(ErrorKind::refused, a.guest + " has no restore point " + a.point,
                    "clara-backup list " + a.guest);
    const auto disks = disks_of(a, point);
    make_dirs(pool::guests(a.pool));
    const Fd guests = open_dir(pool::guests(a.pool));
    if (a.replaces) {
        recover(a.pool, a.name);
        remove_tree_at(guests.get(), pool::restored(a.name));
        if (::mkdirat(guests.get(), pool::restored(a.name).c_str(), 0755) != 0)
            throw system_error("cannot make " + pool::restored(a.name), errno);
    } else {
        make_partial(guests.get(), a.name);
    }
    try {
        const Fd from = open_dir(point), to = open_dir(folder_of(a));
        for (const auto& name : disks) {
            if (a.overlay)
                create_linked(to.get(), name, point + "/" + name, 0);
            else if (a.kind == "kvm")
                to_qcow2(a, point + "/" + name, name);
            else
                to_raw(point + "/" + name, folder_of(a));
        }
        copy_part(from.get(), to.get(), "nvram.fd", 0600);
        if (a.spec) write_file_at(to.get(), "guest.yaml", write_guest(*a.spec), 0640, Durable::content);
    } catch (Error& e) {
        drop_restored(a);
        rethrow_full(e, a.pool);
    }
}

void drop_restored(const RestorePoint& a) {
    remove_tree_at(open_dir(pool::guests(a.pool)).get(),
                   a.replaces ? pool::restored(a.name) : pool::partial(a.name));
}

}  // namespace clara::points
