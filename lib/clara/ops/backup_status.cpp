#include "clara/ops/backup_status.hpp"

#include <algorithm>

#include "clara/base/clock.hpp"
#include "clara/base/units.hpp"
#include "clara/ops/backup.hpp"

namespace clara {
namespace {

using Level = BackupStatus::Level;

void add(BackupStatus& status, Level level, const std::string& text) {
    status.level = std::max(status.level, level);
    status.text += (status.text.empty() ? "" : "; ") + text;
}

void judge_age(BackupStatus& status, const Point* last, const BackupWatch& watch,
               std::chrono::system_clock::time_point now) {
    const double expected = std::chrono::duration<double>(watch.every).count();
    status.warning_s = 1.5 * expected;
    status.critical_s = 3 * expected;
    const auto time = last ? parse_iso8601(last->info.time) : std::nullopt;
    if (!time)
        return add(status, Level::critical,
                   watch.points.empty() ? "no restore point" : "no proven restore point");
    status.newest = last->info.name;
    const double age = std::chrono::duration<double>(now - *time).count();
    status.age_s = age;
    if (age < 0) return add(status, Level::warning, "from the future");
    add(status,
        age > status.critical_s  ? Level::critical
        : age > status.warning_s ? Level::warning
                                 : Level::ok,
        uptime_text(age) + " old");
}

}  // namespace

BackupStatus backup_status(const BackupWatch& watch, std::chrono::system_clock::time_point now) {
    BackupStatus status{.guest = watch.guest, .points = watch.points.size(), .gone = watch.gone};
    judge_age(status, last_proven(watch.points), watch, now);
    for (const auto& point : watch.points)
        if (!point.problem.empty() || !point.state.damage.empty())
            add(status, Level::warning, point.info.name + " is damaged");
    if (!watch.points.empty() && !watch.points.back().state.quarantine.empty())
        add(status, Level::critical,
            "the newest is in quarantine: " + watch.points.back().state.quarantine.front());
    if (!watch.problem.empty())
        add(status, Level::warning, watch.problem.substr(0, watch.problem.find('\n')));
    if (watch.gone) {
        status.level = Level::ok;
        const std::string host = watch.points.empty() ? "" : watch.points.back().info.host;
        status.text =
            "no guest of this pool" + (host.empty() ? "" : ", was backed up on " + host) + "; " + status.text;
    }
    return status;
}

}  // namespace clara
