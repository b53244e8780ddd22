#include "clara/ops/backup_status.hpp"

#include <algorithm>

#include "clara/base/clock.hpp"
#include "clara/base/units.hpp"
#include "clara/ops/backup.hpp"

namespace clara {

BackupStatus backup_status(const std::string& guest, const std::vector<Point>& points,
                           std::chrono::milliseconds every, std::chrono::system_clock::time_point now) {
    using Level = BackupStatus::Level;
    BackupStatus status{.guest = guest, .points = points.size()};
    const Point* last = last_proven(points);
    const auto time = last ? parse_iso8601(last->info.time) : std::nullopt;
    if (!time) {
        status.level = Level::critical;
        status.text = points.empty() ? "no restore point" : "no proven restore point";
        return status;
    }
    status.newest = last->info.name;
    status.age_s = std::chrono::duration<double>(now - *time).count();
    const double expected = std::chrono::duration<double>(every).count();
    status.text = *status.age_s < 0 ? "from the future" : uptime_text(*status.age_s) + " old";
    if (*status.age_s > 1.5 * expected || *status.age_s < 0) status.level = Level::warning;
    if (*status.age_s > 3 * expected) status.level = Level::critical;
    for (const auto& point : points) {
        if (!point.problem.empty() || !point.state.damage.empty()) {
            status.level = std::max(status.level, Level::warning);
            status.text += "; " + point.info.name + " is damaged";
        }
    }
    if (!points.back().state.quarantine.empty()) {
        status.level = Level::critical;
        status.text += "; the newest is in quarantine: " + points.back().state.quarantine.front();
    }
    return status;
}

}  // namespace clara
