#include "clara/drivers/points/store.hpp"

#include <fcntl.h>
#include <stdio.h>
#include <sys/stat.h>

#include <algorithm>
#include <cerrno>
#include <thread>

#include "clara/base/error.hpp"
#include "clara/base/files.hpp"
#include "clara/base/interrupt.hpp"
#include "clara/base/stall.hpp"
#include "clara/drivers/points/manifest.hpp"
#include "clara/drivers/points/sums.hpp"
#include "clara/drivers/storage/layout.hpp"
#include "clara/spec/names.hpp"

namespace clara::points {
namespace {

constexpr std::size_t manifest_limit = 256 << 20;  // bytes: 16 TiB of stored data have 4 million ranges
constexpr std::size_t state_limit = 1 << 20;
constexpr std::chrono::milliseconds look_again{20};  // at a lock that others hold

std::uint64_t stored_bytes(const PointInfo& info) {
    std::uint64_t bytes = 0;
    for (const auto& file : info.files) bytes += file.size;
    return bytes;
}

Point read_one(int folder, const std::string& guest, const std::string& name) {
    const StallScope scope("reading from the store");
    Point point;
    point.info.guest = guest;
    point.info.name = name;
    const std::string where = guest + "/" + name;
    try {
        const Fd dir = open_dir_at(folder, name);
        const auto manifest = read_file_at(dir.get(), "manifest.json", manifest_limit);
        if (!manifest) throw Error(ErrorKind::failed, where + " has no manifest.json");
        PointInfo info = read_manifest(*manifest, where + "/manifest.json");
        if (info.guest != guest || info.name != name)
            throw Error(ErrorKind::failed, where + " says that it is " + info.guest + "/" + info.name);
        point.info = std::move(info);
        point.stored = stored_bytes(point.info);
        const auto state = read_file_at(dir.get(), "state.json", state_limit);
        if (!state) throw Error(ErrorKind::failed, where + " has no state.json");
        point.state = read_state(*state, where + "/state.json");
    } catch (const Error& e) {
        point.problem = e.message();
    }
    return point;
}

/// No descriptor where there is no such folder. A store that is gone meanwhile (ENOTCONN, ESTALE) is not one
/// without points.
Fd open_if_there(const std::string& path) {
    Fd folder(::open(path.c_str(), O_RDONLY | O_DIRECTORY | O_CLOEXEC | O_NOFOLLOW));
    if (!folder && errno != ENOENT && errno != ENOTDIR && errno != ELOOP)
        throw system_error("cannot open " + path, errno);
    return folder;
}

}  // namespace

std::vector<Point> read_points(const std::string& store, const std::string& guest, bool ranges) {
    std::vector<Point> points;
    const std::string path = pool::backups(store, guest);
    Fd folder;
    std::vector<std::string> names;
    if (!name_problem(guest).empty()) return points;
    {
        const StallScope scope("listing the store");
        folder = open_if_there(path);
        if (!folder) return points;
        names = list_dir(folder.get());
    }
    for (const auto& name : names) {
        if (!is_point_name(name)) continue;
        points.push_back(read_one(folder.get(), guest, name));
        if (!ranges)
            for (auto& file : points.back().info.files) file.ranges.clear();
    }
    // One that cannot be read stands where its name, the time, belongs.
    std::uint64_t before = 0;
    for (auto& point : points) before = point.info.number = point.info.number ? point.info.number : before;
    std::stable_sort(points.begin(), points.end(),
                     [](const Point& a, const Point& b) { return a.info.number < b.info.number; });
    return points;
}

std::map<std::string, std::vector<Point>> read_points(const std::string& store) {
    std::map<std::string, std::vector<Point>> all;
    std::vector<std::string> names;
    {
        const StallScope scope("listing the store");
        const Fd folder = open_if_there(pool::backups(store));
        if (!folder) return all;
        names = list_dir(folder.get());
    }
    for (const auto& guest : names)
        if (name_problem(guest).empty()) {
            auto points = read_points(store, guest);
            if (!points.empty()) all[guest] = std::move(points);
        }
    return all;
}

Point read_point(const std::string& store, const std::string& guest, const std::string& name) {
    const StallScope scope("reading from the store");
    const std::string path = pool::point(store, guest, name);
    if (!name_problem(guest).empty() || !is_point_name(name) || !exists(path))
        throw Error(ErrorKind::usage, guest + " has no restore point " + name, "clara-backup list " + guest);
    Point point = read_one(open_dir(pool::backups(store, guest)).get(), guest, name);
    if (!point.problem.empty())
        throw Error(ErrorKind::failed, point.problem, "take another point: clara-backup list " + guest);
    return point;
}

NamedLock lock_in_store(const std::string& path, const std::string& what, std::chrono::milliseconds wait) {
    const auto deadline = std::chrono::steady_clock::now() + wait;
    for (;;) {
        try {
            const StallScope scope("locking the store");
            return NamedLock::take(path, what, {});
        } catch (const Error& e) {
            if (e.kind() != ErrorKind::busy || std::chrono::steady_clock::now() >= deadline) throw;
        }
        throw_if_interrupted();
        std::this_thread::sleep_for(look_again);
    }
}

NamedLock lock_points(const std::string& store, const std::string& guest, const std::string& what,
                      std::chrono::milliseconds wait) {
    {
        const StallScope scope("locking the store");
        make_dirs(pool::backups(store, guest));
    }
    return lock_in_store(pool::backups(store, guest) + "/.lock", what, wait);
}

Fd open_clean_points(const std::string& store, const std::string& guest) {
    const StallScope scope("clearing up in the store");
    make_dirs(pool::backups(store, guest));
    Fd folder = open_dir(pool::backups(store, guest));
    // A merged point whose place is empty was just about to take it.
    for (const auto& name : list_dir(folder.get())) {
        constexpr std::string_view suffix = ".merged";
        if (name[0] != '.' || !name.ends_with(suffix)) continue;
        const std::string point = name.substr(1, name.size() - 1 - suffix.size());
        if (exists_at(folder.get(), point)) continue;
        if (::renameat(folder.get(), name.c_str(), folder.get(), point.c_str()) != 0)
            throw system_error("cannot rename " + name, errno);
        fsync_or_throw(folder.get(), "the folder of points");
    }
    for (const auto& name : list_dir(folder.get()))
        if (name[0] == '.' &&
            (name.ends_with(".partial") || name.ends_with(".removed") || name.ends_with(".merged")))
            remove_tree_at(folder.get(), name);
    return folder;
}

PointFile listed(const std::string& name, std::string_view content) {
    PointFile file{name, content.size(), {}};
    for (std::size_t at = 0; at < content.size(); at += digest_range)
        file.ranges.push_back(hex(digest_of(content.substr(at, digest_range))));
    return file;
}

void put_state(const std::string& store, const std::string& guest, const std::string& point,
               const PointState& state) {
    const StallScope scope("writing to the store");
    write_file_at(open_dir(pool::point(store, guest, point)).get(), "state.json", write_state(state), 0644);
}

}  // namespace clara::points
