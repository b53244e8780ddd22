// Is every guest backed up as it should be? Pure.
#pragma once
#include <chrono>
#include <map>
#include <optional>
#include <string>
#include <vector>

#include "clara/spec/point.hpp"

namespace clara {

struct BackupStatus {
    enum class Level { ok, warning, critical } level = Level::ok;
    std::string guest;
    std::string newest;           ///< proven point; empty: there is none
    std::optional<double> age_s;  ///< of it, seconds
    std::size_t points = 0;
    std::string text;  ///< "1.2 d old", "no proven restore point", "the newest is in quarantine: ..."
};

/// `every`: how often a backup of it is expected. Older than 1.5 times that is a warning, than 3 times
/// critical; so are a quarantine and a guest without any proven point.
BackupStatus backup_status(const std::string& guest, const std::vector<Point>& points,
                           std::chrono::milliseconds every, std::chrono::system_clock::time_point now);

}  // namespace clara
