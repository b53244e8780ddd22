#include "clara/ops/copy.hpp"

#include <fmt/format.h>

#include <algorithm>

#include "clara/base/error.hpp"
#include "clara/base/units.hpp"
#include "clara/ops/backup.hpp"
#include "clara/ops/rotation.hpp"

namespace clara {
namespace {

constexpr std::uint64_t least_room = 64 << 20;  // bytes: less is no place for backups

bool same_content(const PointInfo& a, const PointInfo& b) {
    return a.born == b.born && a.disks.size() == b.disks.size() &&
           std::equal(a.disks.begin(), a.disks.end(), b.disks.begin(),
                      [](const PointDisk& x, const PointDisk& y) {
                          return x.file == y.file && x.content == y.content;
                      });
}

/// Points of the target, those that come during the plan among them.
class Target {
  public:
    explicit Target(const CopyFacts& facts) : facts_(facts), points_(facts.target) {}

    const std::vector<Point>& points() const { return points_; }

    /// As it would be there, standing on nothing yet. Its number is its own, but where that would put it
    /// before older ones: another store has numbered those.
    Point add(const Point& point) {
        Point added = point;
        std::uint64_t newest = 0;
        for (const auto& one : points_) {
            newest = std::max(newest, one.info.number);
            if (one.info.number >= point.info.number && one.info.time < point.info.time)
                added.info.number = 0;
        }
        if (added.info.number == 0) added.info.number = newest + 1;
        added.info.parent.clear();
        points_.push_back(added);
        std::stable_sort(points_.begin(), points_.end(),
                         [](const Point& a, const Point& b) { return a.info.number < b.info.number; });
        return added;
    }

    /// The nearest of what the point stands on that the target has whole.
    std::string base_of(const Point& point) const {
        for (const Point* below : chain_of(point.info.name, facts_.source)) {
            if (below->info.name == point.info.name) continue;
            const Point* there = find_point(below->info.name, points_);
            if (there && same_content(there->info, below->info) && whole(*there)) return there->info.name;
        }
        return {};
    }

    void set_parent(const std::string& name, const std::string& parent) {
        for (auto& point : points_)
            if (point.info.name == name) point.info.parent = parent;
    }

  private:
    bool whole(const Point& point) const {
        const auto chain = chain_of(point.info.name, points_);
        return chain.size() < longest_chain && chain.back()->info.parent.empty() &&
               std::all_of(chain.begin(), chain.end(), [](const Point* one) { return one->good(); });
    }

    const CopyFacts& facts_;
    std::vector<Point> points_;
};

void check_twin(const std::string& guest, const Point& point, const Point& there, const CopyFacts& facts) {
    if (!there.good() || same_content(point.info, there.info)) return;
    throw Error(
        ErrorKind::refused,
        fmt::format("{} has another restore point {} of a guest {}", facts.to, point.info.name, guest),
        "two guests of one name: rename one, or copy to another pool");
}

}  // namespace

Plan plan_copy(const std::string& guest, const CopyFacts& facts, const CopyOptions& options,
               std::chrono::system_clock::time_point now) {
    Plan plan{"copy", guest, facts.to, "", {}};
    Target target(facts);
    std::vector<Point> missing;
    for (const auto& point : facts.source) {
        if (!point.proven()) continue;
        if (const Point* there = find_point(point.info.name, facts.target))
            check_twin(guest, point, *there, facts);
        else
            missing.push_back(target.add(point));
    }
    const auto decisions = rotate(target.points(), options.keep, now);
    auto kept = [&](const std::string& name) {
        return std::any_of(decisions.begin(), decisions.end(),
                           [&](const Decision& d) { return d.point == name && d.keep; });
    };
    Target arriving(facts);
    std::vector<std::string> images = facts.images;
    std::uint64_t bytes = 0;
    for (const auto& point : missing) {
        if (!kept(point.info.name)) continue;
        const std::string& image = point.info.image;
        if (!image.empty() && std::find(images.begin(), images.end(), image) == images.end()) {
            plan.actions.push_back(CopyImage{facts.from, facts.to, image});
            images.push_back(image);
        }
        const std::string base = arriving.base_of(*find_point(point.info.name, facts.source));
        const Point there = arriving.add(*find_point(point.info.name, facts.source));
        arriving.set_parent(point.info.name, base);
        plan.actions.push_back(
            CopyPoint{facts.from, facts.to, guest, point.info.name, base, there.info.number, options.rate});
        bytes += point.stored;
        plan.note = fmt::format("{}{}", plan.note.empty() ? "" : plan.note + ", ", point.info.name);
    }
    if (facts.room < bytes + least_room && bytes > 0)
        throw Error(ErrorKind::refused,
                    fmt::format("{} has {} free, and the points take {}", facts.to, size_text(facts.room),
                                size_text(bytes)),
                    "make room there; nothing was removed");
    if (!options.prune) return plan;
    for (const auto& decision : decisions)
        if (!decision.keep && find_point(decision.point, facts.target))
            plan.actions.push_back(RemovePoint{facts.to, guest, decision.point, decision.reason});
    return plan;
}

}  // namespace clara
