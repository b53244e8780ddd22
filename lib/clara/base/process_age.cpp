#include "clara/base/process_age.hpp"

#include <unistd.h>

#include <ctime>
#include <sstream>
#include <string>

#include "clara/base/files.hpp"

namespace clara {

// From field 22 of /proc/PID/stat, in clock ticks since boot (man proc).
std::optional<double> process_age_s(int pid) {
    std::string stat = read_file("/proc/" + std::to_string(pid) + "/stat").value_or("");
    auto at = stat.rfind(')');  // the command's name may hold anything
    if (at == std::string::npos) return std::nullopt;
    std::istringstream fields(stat.substr(at + 1));
    std::string skipped;
    for (int field = 3; field < 22; ++field) fields >> skipped;
    double ticks = 0;
    fields >> ticks;
    timespec now{};
    ::clock_gettime(CLOCK_BOOTTIME, &now);
    return static_cast<double>(now.tv_sec) + static_cast<double>(now.tv_nsec) / 1e9 -
           ticks / static_cast<double>(::sysconf(_SC_CLK_TCK));
}

}  // namespace clara
