// How restore points are made and kept: the site's defaults, and what a guest says for itself.
#pragma once
#include <chrono>
#include <cstddef>
#include <optional>
#include <string>
#include <vector>

namespace clara {

/// Counts, 0: none of that period. A finer rule's points do not count for a coarser one.
struct Keep {
    unsigned last = 0, hourly = 0, daily = 0, weekly = 0, monthly = 0, yearly = 0;
    /// Points at most, where all periods have one.
    std::size_t total() const { return std::size_t{last} + hourly + daily + weekly + monthly + yearly; }
    bool empty() const { return total() == 0; }
    bool operator==(const Keep&) const = default;
};

/// Ten points, which reach 167 to 205 days back where one is made each day.
inline constexpr Keep standard_keep{.weekly = 4, .monthly = 6};

/// "weekly=4,monthly=6"; Error{usage} that says what is wrong with it.
Keep parse_keep(const std::string& text);
std::string keep_text(const Keep& keep);

/// `backup:` of a template and of guest.yaml. What is absent is as the site says.
struct GuestBackup {
    std::optional<Keep> keep;
    std::optional<std::chrono::milliseconds> every;  ///< a newer point than this old is expected
    /// Commands inside, as its root, before and after the disks' moment.
    std::vector<std::vector<std::string>> before, after;
    bool skip = false;  ///< not with --all
    bool present() const { return keep || every || !before.empty() || !after.empty() || skip; }
};

/// `backup:` of site.yaml.
struct SiteBackup {
    std::string pool;          ///< name of the pool that restore points go to; empty: the first
    std::optional<Keep> keep;  ///< nullopt: standard_keep
    std::chrono::milliseconds every{std::chrono::hours(24)};
};

}  // namespace clara
