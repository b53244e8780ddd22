// Time and chance are handed in, so that plans can be repeated exactly.
#pragma once
#include <chrono>
#include <cstdint>
#include <functional>
#include <optional>
#include <string>

namespace clara {

using Clock = std::function<std::chrono::system_clock::time_point()>;
using Random = std::function<std::uint64_t()>;  ///< 64 uniform bits

Clock system_clock();
Random system_random();  ///< getrandom(2)

/// 2026-11-23T08:39:32Z
std::string iso8601(std::chrono::system_clock::time_point t);
/// The same text back; nullopt where it is none.
std::optional<std::chrono::system_clock::time_point> parse_iso8601(const std::string& text);

}  // namespace clara
