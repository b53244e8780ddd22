#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <sys/stat.h>

#include <algorithm>
#include <cerrno>
#include <cstdlib>
#include <map>
#include <optional>
#include <utility>

#include "clara/base/error.hpp"
#include "clara/base/files.hpp"
#include "clara/base/interrupt.hpp"
#include "clara/base/stall.hpp"
#include "clara/drivers/points/manifest.hpp"
#include "clara/drivers/points/merge.hpp"
#include "clara/drivers/points/store.hpp"
#include "clara/drivers/points/verify.hpp"
#include "clara/drivers/storage/folders.hpp"
#include "clara/drivers/storage/layout.hpp"

namespace clara::points {
namespace {

/// The test hook: CLARA_TEST_MERGE=1 ends us when the merged point is written, 2 when it is whole, 3 when it
/// stands in its place and the old one beside it.
void stop_for_test(char step) {
    const char* hook = std::getenv("CLARA_TEST_MERGE");
    if (hook && hook[0] == step) ::raise(SIGKILL);
}

/// One point takes over what it needs of its parent.
class Merge {
  public:
    Merge(const std::string& store, const Point& child, const Point& parent, const std::vector<Point>& points)
        : store_(store),
          points_(points),
          folder_(open_dir(pool::backups(store, child.info.guest))),
          name_(child.info.name),
          merged_(pool::merged(child.info.name)),
          info_(child.info),
          parent_(parent.info) {}

    void run() {
        open();
        try {
            write();
            stop_for_test('1');
            prove();
        } catch (Error& e) {
            try_remove_tree(folder_.get(), merged_);
            throw e.in(name_ + " merged with " + parent_.name);
        }
        stop_for_test('2');
        take_place();
    }

  private:
    void open() {
        const StallScope scope("merging in the store");
        remove_tree_at(folder_.get(), merged_);
        if (::mkdirat(folder_.get(), merged_.c_str(), 0755) != 0)
            throw system_error("cannot make " + merged_, errno);
        child_dir_ = open_dir_at(folder_.get(), name_);
        parent_dir_ = open_dir_at(folder_.get(), parent_.name);
        to_ = open_dir_at(folder_.get(), merged_);
    }

    void write() {
        info_.parent = parent_.parent;
        const auto before = std::exchange(info_.files, {});
        for (auto& disk : info_.disks) merge_disk(disk);
        for (const auto& file : before) {
            const bool done = std::any_of(info_.files.begin(), info_.files.end(),
                                          [&](const PointFile& made) { return made.name == file.name; });
            if (done) continue;
            copy(file.name);
            info_.files.push_back(file);
        }
        copy("state.json");
        std::sort(info_.files.begin(), info_.files.end(),
                  [](const PointFile& a, const PointFile& b) { return a.name < b.name; });
        const StallScope scope("writing to the store");
        write_file_at(to_.get(), "manifest.json", write_manifest(info_), 0644, Durable::content);
        fsync_or_throw(to_.get(), merged_);
    }

    /// With the digests that it had: where it was damaged, prove() sees it.
    void copy(const std::string& name) {
        const StallScope scope("merging in the store");
        const auto text = read_file_at(child_dir_.get(), name, std::size_t{1} << 30);
        if (!text) throw Error(ErrorKind::failed, name_ + "/" + name + " is missing");
        write_file_at(to_.get(), name, *text, 0640, Durable::content);
    }

    void merge_disk(PointDisk& disk) {
        const PackedReader own = open_packed(child_dir_.get(), disk.file);
        Sums sums = load_sums(child_dir_.get(), disk.file);
        std::vector<const PackedReader*> from{&own};
        std::optional<PackedReader> below;
        bool backed = false;
        // Whatever the manifests say: the file itself needs the other, or does not.
        if (own.backed()) {
            if (own.backing() != "../" + parent_.name + "/" + disk.file)
                throw Error(ErrorKind::failed, name_ + "/" + disk.file + " stands on " + own.backing() +
                                                   ", not on point " + parent_.name);
            below.emplace(open_packed(parent_dir_.get(), disk.file));
            from.push_back(&*below);
            backed = below->backed();
            sums = merged(load_sums(parent_dir_.get(), disk.file), sums);
        }
        write_merged(to_.get(), {from, sums, backed ? "../" + parent_.parent + "/" + disk.file : ""}, disk,
                     info_.files);
    }

    void prove() {
        // Damage of either must not be given new digests.
        const auto wrong = verify_merged(store_, to_.get(), info_, points_);
        if (!wrong.empty())
            throw Error(ErrorKind::failed, wrong.front(), "look at the store; both points are as they were");
    }

    void take_place() {
        const StallScope scope("merging in the store");
        if (exchange(folder_.get(), merged_, name_)) {
            stop_for_test('3');
            fsync_or_throw(folder_.get(), "the folder of points");
            return remove_tree_at(folder_.get(), merged_);
        }
        // Two steps: open_clean_points() finishes them after a kill.
        const std::string old = pool::removed(name_);
        remove_tree_at(folder_.get(), old);
        if (::renameat(folder_.get(), name_.c_str(), folder_.get(), old.c_str()) != 0)
            throw system_error("cannot rename " + name_, errno);
        stop_for_test('3');
        if (::renameat(folder_.get(), merged_.c_str(), folder_.get(), name_.c_str()) != 0)
            throw system_error("cannot rename " + merged_, errno);
        fsync_or_throw(folder_.get(), "the folder of points");
        remove_tree_at(folder_.get(), old);
    }

    const std::string& store_;
    const std::vector<Point>& points_;
    Fd folder_, child_dir_, parent_dir_, to_;
    std::string name_, merged_;
    PointInfo info_;
    const PointInfo& parent_;
};

/// A point whose manifest cannot be read: its disks still tell whether they need the other one.
bool stands_on(int folder, const std::string& point, const std::string& name) {
    const Fd dir = open_dir_at(folder, point);
    for (const auto& file : list_dir(dir.get())) {
        if (!file.ends_with(".qcow2")) continue;
        try {
            if (open_packed(dir.get(), file).backing().starts_with("../" + name + "/")) return true;
        } catch (const Error& e) {
            if (e.kind() != ErrorKind::failed)
                throw;  // a disk that is damaged as well needs nothing any more
        }
    }
    return false;
}

/// What stands on a point can be given what it needs of it only where both manifests can be read.
void check_known(int folder, const Point& gone, const std::vector<Point>& points) {
    const std::string& name = gone.info.name;
    for (const auto& point : points) {
        const bool known = !point.info.kind.empty();
        if (!known && &point != &gone && stands_on(folder, point.info.name, name))
            throw Error(ErrorKind::refused, point.info.name + ", which is damaged, stands on " + name,
                        "clara-backup remove " + point.info.guest + " " + point.info.name);
        if (known && point.info.parent == name && gone.info.kind.empty())
            throw Error(ErrorKind::refused,
                        point.info.name + " stands on " + name + ", whose manifest is damaged",
                        "clara-backup remove " + point.info.guest + " " + point.info.name);
    }
}

}  // namespace

void refuse_held(const Point& point) {
    if (point.state.holders.empty()) return;
    throw Error(
        ErrorKind::refused, point.state.holders.front() + " stands on restore point " + point.info.name,
        "it goes once the guest's disks stand on it no more: the same clara-backup restore --boot-now, or "
        "drill, finishes that");
}

void remove_point(const std::string& store, const std::string& guest, const std::string& name,
                  const std::vector<Point>& points) {
    const Point* gone = find_point(name, points);
    if (!gone) return;
    refuse_held(*gone);
    const StallRegion region;
    const Fd folder = open_dir(pool::backups(store, guest));
    check_known(folder.get(), *gone, points);
    for (const auto& child : points)
        if (child.info.parent == name) {
            throw_if_interrupted();
            Merge(store, child, *gone, points).run();
        }
    const StallScope scope("removing from the store");
    // Where the name is free, what is left of a killed merge would take it.
    remove_tree_at(folder.get(), pool::merged(name));
    remove_tree_at(folder.get(), pool::removed(name));
    if (::renameat(folder.get(), name.c_str(), folder.get(), pool::removed(name).c_str()) != 0)
        throw system_error("cannot remove " + name, errno);
    fsync_or_throw(folder.get(), "the folder of points");
    remove_tree_at(folder.get(), pool::removed(name));
}

}  // namespace clara::points
