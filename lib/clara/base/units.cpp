#include "clara/base/units.hpp"

#include <fmt/format.h>

#include <array>
#include <charconv>
#include <cmath>
#include <string_view>
#include <utility>

namespace clara {
namespace {

/// Splits "1.5s" into 1.5 and "s"; nullopt where no plain number comes first.
std::optional<std::pair<double, std::string_view>> number_and_unit(const std::string& text) {
    double value = 0;
    const char* end = text.data() + text.size();
    auto [rest, error] = std::from_chars(text.data(), end, value, std::chars_format::fixed);
    if (error != std::errc{} || !std::isfinite(value) || std::signbit(value)) return std::nullopt;
    return std::pair{value, std::string_view(rest, static_cast<std::size_t>(end - rest))};
}

}  // namespace

std::optional<std::chrono::milliseconds> parse_duration(const std::string& text) {
    auto parsed = number_and_unit(text);
    if (!parsed) return std::nullopt;
    auto [value, unit] = *parsed;
    constexpr std::array<std::pair<std::string_view, double>, 6> units{
        {{"", 1e3}, {"ms", 1}, {"s", 1e3}, {"m", 6e4}, {"h", 3.6e6}, {"d", 8.64e7}}};
    for (auto [name, milliseconds] : units)
        if (unit == name && value * milliseconds <= 3.6e9)
            return std::chrono::milliseconds(std::llround(value * milliseconds));
    return std::nullopt;
}

std::string duration_text(std::chrono::milliseconds duration) {
    auto ms = duration.count();
    if (ms < 1000) return fmt::format("{}ms", ms);
    return fmt::format("{}s", static_cast<double>(ms) / 1000);
}

std::optional<std::uint64_t> parse_size(const std::string& text) {
    auto parsed = number_and_unit(text);
    if (!parsed) return std::nullopt;
    auto [value, unit] = *parsed;
    if (unit.size() == 3 && unit.substr(1) == "iB") unit = unit.substr(0, 1);
    double factor = 1;
    if (!unit.empty()) {
        auto power = std::string_view("KMGT").find(unit);
        if (unit.size() != 1 || power == std::string_view::npos) return std::nullopt;
        factor = std::ldexp(1.0, 10 * (static_cast<int>(power) + 1));
    }
    // 2^53: up to there a double counts single bytes.
    if (value * factor > std::ldexp(1.0, 53)) return std::nullopt;
    return static_cast<std::uint64_t>(value * factor);
}

std::string size_text(std::uint64_t bytes) {
    if (bytes < 1024) return fmt::format("{} B", bytes);
    double value = static_cast<double>(bytes);
    std::size_t unit = 0;
    constexpr std::array names{"KiB", "MiB", "GiB", "TiB"};
    for (value /= 1024; value >= 1024 && unit + 1 < names.size(); ++unit) value /= 1024;
    return fmt::format("{:.1f} {}", value, names[unit]);
}

std::string uptime_text(double seconds) {
    auto s = static_cast<std::uint64_t>(std::max(0.0, seconds));
    if (s < 60) return fmt::format("{}s", s);
    if (s < 3600) return fmt::format("{}m {}s", s / 60, s % 60);
    if (s < 86400) return fmt::format("{}h {}m", s / 3600, s % 3600 / 60);
    return fmt::format("{}d {}h", s / 86400, s % 86400 / 3600);
}

}  // namespace clara
