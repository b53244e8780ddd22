// Is every guest backed up as it should be? Pure.
#pragma once
#include <chrono>
#include <optional>
#include <string>
#include <vector>

#include "clara/spec/point.hpp"

namespace clara {

/// What is known of one guest.
struct BackupWatch {
    std::string guest;
    std::vector<Point> points;                                ///< by number
    std::chrono::milliseconds every{std::chrono::hours(24)};  ///< how often a backup of it is expected
    bool gone = false;    ///< it has points, and is no guest of the pool: nothing is expected of it
    std::string problem;  ///< why its guest.yaml cannot be read
};

struct BackupStatus {
    enum class Level { ok, warning, critical } level = Level::ok;
    std::string guest;
    std::string newest;                    ///< proven point; empty: there is none
    std::optional<double> age_s;           ///< of it, seconds
    double warning_s = 0, critical_s = 0;  ///< ages above which it is late
    std::size_t points = 0;
    bool gone = false;
    std::string text;  ///< "1d 4h old", "no proven restore point", "the newest is in quarantine: ..."
};

/// Older than 1.5 times `every` is a warning, than 3 times critical; so are a quarantine and a guest without
/// any proven point. Damage, and a guest.yaml that cannot be read (it can neither be backed up), are
/// warnings. A guest that is gone is always ok.
BackupStatus backup_status(const BackupWatch& watch, std::chrono::system_clock::time_point now);

}  // namespace clara
