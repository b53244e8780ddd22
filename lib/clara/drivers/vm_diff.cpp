#include "clara/drivers/vm_diff.hpp"

#include "clara/base/error.hpp"
#include "clara/base/files.hpp"
#include "clara/base/lock.hpp"
#include "clara/base/log.hpp"
#include "clara/drivers/disks/chain.hpp"
#include "clara/drivers/disks/guest_disk.hpp"
#include "clara/drivers/disks/inner_snapshots.hpp"
#include "clara/drivers/disks/qemu_img.hpp"
#include "clara/drivers/libvirt/driver.hpp"
#include "clara/drivers/storage/disk_tree.hpp"
#include "clara/drivers/storage/folders.hpp"
#include "clara/drivers/storage/layout.hpp"
#include "clara/drivers/storage/snapshots.hpp"

namespace clara {
namespace {

// No snapshot can have the name, so its states are orphans from the beginning.
constexpr const char* now = ".now";
constexpr std::chrono::hours copy_limit{12};

/// A folder among the guest's snapshots, gone with us or with the next verb that is about them.
class Workplace {
  public:
    Workplace(const std::string& pool, const std::string& guest)
        : path_(pool::snapshot(pool, guest, pool::partial(now))),
          folder_(snapshots::open_clean(pool, guest)) {
        snapshots::make_partial(folder_.get(), now);
    }
    Workplace(const Workplace&) = delete;
    Workplace& operator=(const Workplace&) = delete;
    ~Workplace() {
        try {
            remove_tree_at(folder_.get(), pool::partial(now));
        } catch (const Error& e) {
            log::warn("{}", e.what());
        }
    }
    std::string path(const std::string& name) const { return path_ + "/" + name; }

  private:
    std::string path_;
    Fd folder_;
};

/// What a snapshot has beyond the image, on that image, as a disk of its own. The disk may be in use: what a
/// snapshot has of it does not change any more.
std::string copy_snapshot(const std::string& disk, const std::string& snapshot, const Workplace& place) {
    const std::string copy = place.path(snapshot + ".qcow2");
    std::vector<std::string> arguments{"convert", "-U",    "-f", "qcow2",
                                       "-O",      "qcow2", "-l", "snapshot.name=" + snapshot_tag(snapshot)};
    const auto chain = disk_chain(disk, "qcow2");
    if (chain.size() > 1) arguments.insert(arguments.end(), {"-B", chain[1].path, "-F", chain[1].format});
    arguments.insert(arguments.end(), {disk, copy});
    run_qemu_img(arguments, Trust::ours, {.timeout = copy_limit});
    return copy;
}

/// A disk above the guest's own, which is only read so: journals are replayed above it.
std::string cover(const std::string& disk, const Workplace& place) {
    create_linked(open_dir(place.path(".")).get(), "now.qcow2", disk, 0);
    return place.path("now.qcow2");
}

/// The disk as it is now. Of a guest that runs it is that of one moment, as a snapshot has it.
std::string copy_now(const Site& site, const DiffRequest& request, const std::string& disk,
                     const Workplace& place) {
    LibvirtDriver libvirt;
    const std::string home = site.libvirt_uri;
    if (!libvirt.running({home, request.guest, "kvm"})) return cover(disk, place);
    const DropStates drop{home, request.pool, request.guest};
    libvirt.keep_state(
        {.home = home, .pool = request.pool, .name = request.guest, .snapshot = now, .disks = true});
    std::string copy;
    try {
        copy = copy_snapshot(disk, now, place);
    } catch (...) {
        libvirt.drop_states(drop);
        throw;
    }
    libvirt.drop_states(drop);
    return copy;
}

/// The file systems of one state.
class System {
  public:
    explicit System(const std::string& disk) : disk_(disk, "qcow2") {
        if (!disk_.system().obstacle.empty())
            throw Error(ErrorKind::refused, "its files cannot be read: " + disk_.system().obstacle,
                        "compare them inside the guest");
    }
    const std::map<std::string, Volume>& parts() const { return disk_.parts(); }
    const std::vector<std::string>& closed() const { return disk_.closed_parts(); }
    DiskTree tree(const Volume& part) const { return DiskTree(disk_.device(), part.offset); }

  private:
    GuestDisk disk_;
};

void add_changes(std::vector<TreeChange>& all, const std::string& mount, const DiskTree& from,
                 const DiskTree& to) {
    for (auto& change : diff_trees(
             from.whole(), to.whole(),
             {[&](const TreeEntry&a, const TreeEntry&b) { return from.same_content(a.inode, to, b.inode); },
              [](const std::string&) { return std::nullopt; }})) {
        change.path = mount + change.path;
        all.push_back(std::move(change));
    }
}

}  // namespace

std::vector<TreeChange> diff_vm_snapshots(const Site& site, const DiffRequest& request) {
    make_dirs(request.pool + "/locks");
    const auto lock =
        NamedLock::take(pool::lock(request.pool, request.guest), "diff " + request.guest, request.lock_wait);
    const std::string disk = vm_disks(request.pool, request.guest)[0];
    const Workplace place(request.pool, request.guest);
    try {
        const System from(copy_snapshot(disk, request.from, place));
        const System to(request.to.empty() ? copy_now(site, request, disk, place)
                                           : copy_snapshot(disk, request.to, place));
        std::vector<TreeChange> changes;
        for (const auto& [mount, part] : to.parts())
            if (auto then = from.parts().find(mount); then != from.parts().end())
                add_changes(changes, mount, from.tree(then->second), to.tree(part));
        for (const auto& part : to.closed()) log::warn("{} is not compared", part);
        return changes;
    } catch (Error& e) {
        rethrow_full(e, request.pool);
    }
}

}  // namespace clara
