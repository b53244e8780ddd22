// Durations and sizes as people write and read them.
#pragma once
#include <chrono>
#include <cstdint>
#include <optional>
#include <string>

namespace clara {

/// "250ms", "5s", "2m", "1h", "1d", "1.5s"; a bare number is seconds, a day 24 hours. At most 1000 h, never
/// negative.
std::optional<std::chrono::milliseconds> parse_duration(const std::string& text);
/// "250ms", "1.5s", "5s": parse_duration() gives the same value back.
std::string duration_text(std::chrono::milliseconds duration);

/// "64M", "64MiB", "1.5G", "4096": powers of 1024, as LXC's and systemd's limits are.
std::optional<std::uint64_t> parse_size(const std::string& text);
/// For people: "17.3 MiB", "512 B".
std::string size_text(std::uint64_t bytes);

/// For people, the two largest units: "3d 4h", "12m 5s", "8s".
std::string uptime_text(double seconds);

}  // namespace clara
