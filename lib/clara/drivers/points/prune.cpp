#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <sys/stat.h>

#include <algorithm>
#include <cerrno>
#include <cstdlib>

#include "clara/base/error.hpp"
#include "clara/base/files.hpp"
#include "clara/base/interrupt.hpp"
#include "clara/base/stall.hpp"
#include "clara/drivers/points/manifest.hpp"
#include "clara/drivers/points/merge.hpp"
#include "clara/drivers/points/store.hpp"
#include "clara/drivers/points/verify.hpp"
#include "clara/drivers/storage/layout.hpp"

namespace clara::points {
namespace {

/// The test hook: CLARA_TEST_MERGE=1 ends us when the merged point is written, 2 when it is whole, 3 when it
/// stands in its place and the old one beside it.
void stop_for_test(char step) {
    const char* hook = std::getenv("CLARA_TEST_MERGE");
    if (hook && hook[0] == step) ::raise(SIGKILL);
}

const Point* find_point(const std::vector<Point>& points, const std::string& name) {
    for (const auto& point : points)
        if (point.info.name == name) return &point;
    return nullptr;
}

const PointDisk* find_disk(const PointInfo& info, const std::string& file) {
    for (const auto& disk : info.disks)
        if (disk.file == file) return &disk;
    return nullptr;
}

/// One point takes over what it needs of its parent.
class Merge {
  public:
    Merge(const std::string& store, const Point& child, const Point& parent)
        : folder_(open_dir(pool::backups(store, child.info.guest))),
          name_(child.info.name),
          merged_("." + child.info.name + ".merged"),
          info_(child.info),
          parent_(parent.info) {}

    void run() {
        const StallScope scope("merging in the store");
        remove_tree_at(folder_.get(), merged_);
        if (::mkdirat(folder_.get(), merged_.c_str(), 0755) != 0)
            throw system_error("cannot make " + merged_, errno);
        child_dir_ = open_dir_at(folder_.get(), name_);
        parent_dir_ = open_dir_at(folder_.get(), parent_.name);
        to_ = open_dir_at(folder_.get(), merged_);
        try {
            write();
            stop_for_test('1');
            prove();
        } catch (...) {
            remove_tree_at(folder_.get(), merged_);
            throw;
        }
        stop_for_test('2');
        take_place();
    }

  private:
    void write() {
        info_.parent = parent_.parent;
        info_.files.clear();
        for (auto& disk : info_.disks) merge_disk(disk);
        for (const auto& name : list_dir(child_dir_.get())) {
            const bool done = std::any_of(info_.files.begin(), info_.files.end(),
                                          [&](const PointFile& file) { return file.name == name; });
            if (done || name == "manifest.json") continue;
            const auto text = read_file_at(child_dir_.get(), name, std::size_t{1} << 30);
            write_file_at(to_.get(), name, *text, 0640, Durable::content);
            if (name != "state.json") info_.files.push_back(listed(name, *text));
        }
        std::sort(info_.files.begin(), info_.files.end(),
                  [](const PointFile& a, const PointFile& b) { return a.name < b.name; });
        write_file_at(to_.get(), "manifest.json", write_manifest(info_), 0644, Durable::content);
        fsync_or_throw(to_.get(), merged_);
    }

    void merge_disk(PointDisk& disk) {
        const PackedReader own = open_packed(child_dir_.get(), disk.file);
        Sums sums = load_sums(child_dir_.get(), disk.file);
        std::vector<const PackedReader*> from{&own};
        std::optional<PackedReader> below;
        bool backed = false;
        if (const PointDisk* base = find_disk(parent_, disk.file); base && base->target == disk.target) {
            below.emplace(open_packed(parent_dir_.get(), disk.file));
            from.push_back(&*below);
            backed = below->backed();
            sums = merged(load_sums(parent_dir_.get(), disk.file), sums);
        }
        if (!backed) std::erase_if(sums, [](const Sum& sum) { return sum.digest == zero_digest; });
        Fd file(
            ::openat(to_.get(), disk.file.c_str(), O_RDWR | O_CREAT | O_EXCL | O_NOFOLLOW | O_CLOEXEC, 0640));
        if (!file) throw system_error("cannot make " + disk.file, errno);
        PackedWriter writer(file.get(), own.size(), backed ? "../" + parent_.parent + "/" + disk.file : "");
        PointFile stored = merge_packed(from, writer, backed);
        stored.name = disk.file;
        info_.files.push_back(stored);
        const std::string text = write_sums(sums);
        write_file_at(to_.get(), sums_file(disk.file), text, 0644, Durable::content);
        info_.files.push_back(listed(sums_file(disk.file), text));
        disk.changed = sums.size() * cluster_size;
        disk.zeroed = static_cast<std::uint64_t>(std::count_if(
                          sums.begin(), sums.end(), [](const Sum& s) { return s.digest == zero_digest; })) *
                      cluster_size;
    }

    void prove() {
        auto wrong = verify_stored(to_.get(), info_);
        // Damage of either must not be given new digests.
        for (const auto& disk : info_.disks)
            if (wrong.empty())
                wrong = verify_content(open_packed(to_.get(), disk.file), load_sums(to_.get(), disk.file),
                                       disk.file);
        if (!wrong.empty())
            throw Error(ErrorKind::failed, name_ + " merged with " + parent_.name + ": " + wrong.front(),
                        "look at the store; both points are as they were");
    }

    void take_place() {
        if (::renameat2(folder_.get(), merged_.c_str(), folder_.get(), name_.c_str(), RENAME_EXCHANGE) == 0) {
            stop_for_test('3');
            fsync_or_throw(folder_.get(), "the folder of points");
            return remove_tree_at(folder_.get(), merged_);
        }
        if (errno != EINVAL && errno != ENOSYS && errno != EOPNOTSUPP)
            throw system_error("cannot put " + merged_ + " in its place", errno);
        // Two steps: open_clean_points() finishes them after a kill.
        const std::string old = pool::removed(name_);
        if (::renameat(folder_.get(), name_.c_str(), folder_.get(), old.c_str()) != 0)
            throw system_error("cannot rename " + name_, errno);
        stop_for_test('3');
        if (::renameat(folder_.get(), merged_.c_str(), folder_.get(), name_.c_str()) != 0)
            throw system_error("cannot rename " + merged_, errno);
        fsync_or_throw(folder_.get(), "the folder of points");
        remove_tree_at(folder_.get(), old);
    }

    Fd folder_, child_dir_, parent_dir_, to_;
    std::string name_, merged_;
    PointInfo info_;
    const PointInfo& parent_;
};

}  // namespace

void remove_point(const std::string& store, const std::string& guest, const std::string& name,
                  const std::vector<Point>& points) {
    const Point* gone = find_point(points, name);
    if (!gone) return;
    for (const auto& child : points)
        if (child.problem.empty() && child.info.parent == name) {
            throw_if_interrupted();
            Merge(store, child, *gone).run();
        }
    const StallScope scope("removing from the store");
    const Fd folder = open_dir(pool::backups(store, guest));
    if (::renameat(folder.get(), name.c_str(), folder.get(), pool::removed(name).c_str()) != 0)
        throw system_error("cannot remove " + name, errno);
    fsync_or_throw(folder.get(), "the folder of points");
    remove_tree_at(folder.get(), pool::removed(name));
}

}  // namespace clara::points
