// clara-backup list, show, status, simulate, and what is noted on points.
#pragma once
#include <optional>
#include <string>
#include <vector>

#include "clara/cli/backup_flow.hpp"

namespace clara {

int list_points(const std::vector<std::string>& guests, const StoreChoice& store, const CommonFlags& flags);
int show_point(const std::string& guest, const std::string& point, const StoreChoice& store,
               const CommonFlags& flags);
/// Exit status: 0, or with `nagios` 0 OK, 1 WARNING, 2 CRITICAL, 3 UNKNOWN (monitoring-plugins' guidelines);
/// else 3 where a guest has no good point that is young enough.
int show_status(const StoreChoice& store, bool nagios, const CommonFlags& flags);
/// `keep`: else the site's.
int show_simulation(const std::optional<Keep>& keep, std::chrono::milliseconds every, unsigned days,
                    const CommonFlags& flags);

/// What people say of a point: it is protected, a note, accepted from quarantine, or removed.
struct PointChange {
    enum class Kind { protect, unprotect, note, accept, remove } kind = Kind::protect;
    std::string guest, note;
    std::vector<std::string> points;
    bool force_last_good = false;
};
int change_points(const PointChange& change, const StoreChoice& store, const CommonFlags& flags);

}  // namespace clara
