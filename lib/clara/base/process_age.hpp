// How long a process runs.
#pragma once
#include <optional>

namespace clara {

/// Seconds since its start, counted in clock ticks (10 ms); nullopt where there is no such process.
std::optional<double> process_age_s(int pid);

}  // namespace clara
