#include "clara/drivers/points/point_driver.hpp"

#include <fmt/format.h>
#include <fmt/ranges.h>

#include <algorithm>
#include <map>
#include <mutex>
#include <utility>

#include "clara/base/error.hpp"
#include "clara/base/files.hpp"
#include "clara/base/log.hpp"
#include "clara/base/stall.hpp"
#include "clara/drivers/libvirt/pull.hpp"
#include "clara/drivers/points/images.hpp"
#include "clara/drivers/points/merge.hpp"
#include "clara/drivers/points/new_point.hpp"
#include "clara/drivers/points/proof.hpp"
#include "clara/drivers/points/restored.hpp"
#include "clara/drivers/points/store.hpp"
#include "clara/drivers/points/transfer.hpp"
#include "clara/drivers/storage/folders.hpp"
#include "clara/drivers/storage/layout.hpp"
#include "clara/ops/backup.hpp"

namespace clara {
namespace {

constexpr std::chrono::seconds lock_patience{30};  // who has it may be writing a small file just as we do

}  // namespace

/// Locks of guests' points that are held between two actions of one plan.
struct StorePoints::Locks {
    std::mutex mutex;
    std::map<std::pair<std::string, std::string>, NamedLock> held;  ///< by store and guest

    void take(const std::string& store, const std::string& guest, const char* what) {
        std::lock_guard guard(mutex);
        if (held.count({store, guest})) return;
        held.emplace(std::pair{store, guest},
                     points::lock_points(store, guest, std::string(what) + " " + guest, {}));
    }
    void drop(const std::string& store, const std::string& guest) {
        std::lock_guard guard(mutex);
        held.erase({store, guest});
    }
};

StorePoints::StorePoints(LibvirtDriver& libvirt, std::string run_dir)
    : libvirt_(libvirt), run_dir_(std::move(run_dir)), locks_(std::make_unique<Locks>()) {}

StorePoints::~StorePoints() = default;

void StorePoints::copy_image(const CopyImage& a) {
    points::copy_image(a);
}

std::string StorePoints::make(const MakePoint& a) {
    locks_->take(a.store, a.name, "backup of");
    try {
        return points::make_point(a, libvirt_, run_dir_);
    } catch (...) {
        locks_->drop(a.store, a.name);
        throw;
    }
}

void StorePoints::discard(const MakePoint& a) {
    try {
        const StallRegion region;
        remove_tree_at(open_dir(pool::backups(a.store, a.name)).get(), pool::partial(a.info.name));
    } catch (const Error& e) {  // the store is gone; what is left there never becomes a point
        log::warn("{}: {}; the next run clears up in the store", a.name, e.message());
    }
    locks_->drop(a.store, a.name);
}

void StorePoints::prove(const ProvePoint& a) {
    const auto reasons = points::prove_point(a);
    if (reasons.empty()) return;
    locks_->drop(a.store, a.name);
    throw Error(
        ErrorKind::partial,
        fmt::format("restore point {} is in quarantine: {}", a.point, fmt::join(reasons, "; ")),
        fmt::format(
            "look at the guest and its disk; nothing older is removed meanwhile. If it is as it should "
            "be: clara-backup accept {} {}, else: clara-backup remove {} {}",
            a.name, a.point, a.name, a.point));
}

void StorePoints::publish(const PublishPoint& a) {
    {
        const StallRegion region;
        const Fd folder = open_dir(pool::backups(a.store, a.name));
        if (!rename_new(folder.get(), pool::partial(a.point), a.point))
            throw StaleFacts("there is a point " + a.point + " already");
        fsync_or_throw(folder.get(), "the folder of points");
    }
    // From here on the point counts; an older checkpoint that stays costs a little room in the disks.
    try {
        if (!a.checkpoints.empty()) {
            auto host = libvirt_.connect(a.home);
            const auto there = host->checkpoints(a.name);
            for (const auto& checkpoint : a.checkpoints)
                if (std::find(there.begin(), there.end(), checkpoint) != there.end())
                    host->delete_checkpoint(a.name, checkpoint);
        }
    } catch (const Error& e) {
        log::warn("{}: {}", a.name, e.message());
    }
    locks_->drop(a.store, a.name);
}

void StorePoints::remove(const RemovePoint& a) {
    locks_->take(a.store, a.name, "removing points of");
    try {
        points::open_clean_points(a.store, a.name);
        const auto all = points::read_points(a.store, a.name, true);
        const Point* last = last_proven(all);
        if (last && last->info.name == a.point)
            throw Error(ErrorKind::refused, a.point + " is the last good point of " + a.name,
                        "it goes only with --force-last-good");
        points::remove_point(a.store, a.name, a.point, all);
    } catch (...) {
        locks_->drop(a.store, a.name);
        throw;
    }
    locks_->drop(a.store, a.name);
}

void StorePoints::restore(const RestorePoint& a) {
    points::restore(a);
}

void StorePoints::drop_restored(const RestorePoint& a) {
    points::drop_restored(a);
}

void StorePoints::swap(const SwapGuest& a) {
    points::swap(a);
}

void StorePoints::swap_back(const SwapGuest& a) {
    points::swap_back(a);
}

void StorePoints::drop_replaced(const DropReplaced& a) {
    points::drop_replaced(a);
}

void StorePoints::hold(const HoldPoint& a) {
    const StallRegion region;
    const auto lock = points::lock_points(a.store, a.guest, "holding a point of " + a.guest, lock_patience);
    const auto all = points::read_points(a.store, a.guest);
    const Point* point = find_point(a.point, all);
    if (!point || !point->problem.empty()) {
        if (!a.hold) return;  // nothing is left that could be released
        throw StaleFacts("point " + a.point + " is not there any more");
    }
    PointState state = point->state;
    std::erase(state.holders, a.holder);
    if (a.hold) state.holders.push_back(a.holder);
    if (state.holders != point->state.holders) points::put_state(a.store, a.guest, a.point, state);
}

void StorePoints::copy(const CopyPoint& a) {
    const StallRegion region;
    const auto lock = points::lock_points(a.to, a.guest, "copy of points of " + a.guest, {});
    points::copy_point(a);
}

}  // namespace clara
