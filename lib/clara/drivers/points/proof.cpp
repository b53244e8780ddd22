#include "clara/drivers/points/proof.hpp"

#include <sys/stat.h>

#include <future>

#include "clara/base/clock.hpp"
#include "clara/base/error.hpp"
#include "clara/base/files.hpp"
#include "clara/base/stall.hpp"
#include "clara/drivers/disks/qemu_img.hpp"
#include "clara/drivers/points/examine.hpp"
#include "clara/drivers/points/manifest.hpp"
#include "clara/drivers/points/merge.hpp"
#include "clara/drivers/points/store.hpp"
#include "clara/drivers/points/verify.hpp"
#include "clara/drivers/storage/folders.hpp"
#include "clara/drivers/storage/layout.hpp"
#include "clara/ops/backup.hpp"
#include "clara/ops/shape.hpp"

namespace clara::points {
namespace {

using Reasons = std::vector<std::string>;

void add(Reasons& to, const Reasons& more) {
    to.insert(to.end(), more.begin(), more.end());
}

/// Errors of what is looked at are reasons; those of ourselves (a signal) go on.
template <class Look>
void look(Reasons& reasons, Look work) {
    try {
        add(reasons, work());
    } catch (const Error& e) {
        if (e.kind() == ErrorKind::interrupted || e.kind() == ErrorKind::terminated) throw;
        reasons.push_back(e.message());
    }
}

/// Every block against its digest, and the files' own structure.
Reasons look_at_disks(const std::string& path, int folder, const PointInfo& info) {
    Reasons reasons;
    for (const auto& disk : info.disks) {
        look(reasons, [&] {
            return verify_content(open_packed(folder, disk.file), load_sums(folder, disk.file), disk.file);
        });
        if (!reasons.empty()) return reasons;
        // A program of its own, which ends by its own limit: a large disk takes it minutes.
        look(reasons, [&] {
            check_disk(path + "/" + disk.file, "qcow2");
            return Reasons{};
        });
    }
    return reasons;
}

/// The file systems of a machine. A container's was looked through before it was packed, and is the same.
Reasons look_at_files(const std::string& path, const PointInfo& info) {
    Reasons reasons;
    if (info.kind != "kvm") return reasons;
    for (const auto& disk : info.disks)
        look(reasons, [&] { return examine_machine(path + "/" + disk.file); });
    return reasons;
}

Reasons look_through(const std::string& path, int folder, const PointInfo& info) {
    // Beside the rest, since it mostly waits for the daemon that shows it the disk.
    auto files = std::async(std::launch::async, [&] { return look_at_files(path, info); });
    Reasons reasons;
    look(reasons, [&] { return verify_stored(folder, info); });
    if (reasons.empty()) add(reasons, look_at_disks(path, folder, info));
    const Reasons more = files.get();
    if (reasons.empty()) add(reasons, more);  // else they tell of the same damage
    return reasons;
}

Reasons compare_shape(const ProvePoint& a, const PointInfo& info) {
    if (a.last_good.empty()) return {};
    return judge_shape(info, read_point(a.store, a.name, a.last_good).info);
}

}  // namespace

std::vector<std::string> look_at_point(const std::string& store, const Point& point, bool deep) {
    if (!point.problem.empty()) return {point.problem};
    const StallRegion region;
    const std::string path = pool::point(store, point.info.guest, point.info.name);
    const Fd folder = open_dir(path);
    return deep ? look_through(path, folder.get(), point.info) : verify_stored(folder.get(), point.info);
}

std::vector<std::string> known_damage(const std::string& store, const std::string& name,
                                      const std::vector<Point>& points) {
    Reasons reasons;
    const auto chain = chain_of(name, points);
    for (const Point* point : chain) {
        Reasons found = point->state.damage;
        if (!point->problem.empty()) found.push_back(point->problem);
        const std::string folder = pool::point(store, point->info.guest, point->info.name);
        for (const auto& file : point->info.files) {
            struct stat st {};
            if (::stat((folder + "/" + file.name).c_str(), &st) != 0)
                found.push_back(file.name + " is gone");
            else if (static_cast<std::uint64_t>(st.st_size) != file.size)
                found.push_back(file.name + " has another size");
        }
        for (const auto& one : found)
            reasons.push_back(point->info.name == name ? one
                                                       : "it stands on " + point->info.name + ": " + one);
    }
    if (!chain.empty() && !chain.back()->info.parent.empty())
        reasons.push_back("it stands on " + chain.back()->info.parent + ", which is gone");
    return reasons;
}

std::vector<std::string> prove_point(const ProvePoint& a) {
    const StallRegion region;
    const std::string partial = pool::partial(a.point);
    const std::string path = pool::backups(a.store, a.name) + "/" + partial;
    const Fd points = open_dir(pool::backups(a.store, a.name)), folder = open_dir(path);
    const auto manifest = read_file_at(folder.get(), "manifest.json", std::size_t{1} << 30);
    const auto text = read_file_at(folder.get(), "state.json");
    if (!manifest || !text) throw Error(ErrorKind::failed, partial + " is gone");
    const PointInfo info = read_manifest(*manifest, "manifest.json");
    PointState state = read_state(*text, "state.json");
    Reasons reasons = state.quarantine;
    add(reasons, look_through(path, folder.get(), info));
    look(reasons, [&] { return compare_shape(a, info); });
    if (reasons.empty())
        state.verified = iso8601(system_clock()());
    else
        state.quarantine = reasons;
    const StallScope scope("writing to the store");
    write_file_at(folder.get(), "state.json", write_state(state));
    if (reasons.empty()) return {};
    if (!rename_new(points.get(), partial, a.point))
        throw StaleFacts("there is a point " + a.point + " already");
    fsync_or_throw(points.get(), "the folder of points");
    return reasons;
}

}  // namespace clara::points
