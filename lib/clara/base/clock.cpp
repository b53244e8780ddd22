#include "clara/base/clock.hpp"

#include <sys/random.h>

#include <cerrno>
#include <ctime>

#include "clara/base/error.hpp"

namespace clara {

Clock system_clock() {
    return [] { return std::chrono::system_clock::now(); };
}

Random system_random() {
    return [] {
        std::uint64_t bits = 0;
        // Up to 256 bytes come whole or not at all (man getrandom).
        while (::getrandom(&bits, sizeof bits, 0) < 0)
            if (errno != EINTR) throw system_error("cannot get random bytes", errno);
        return bits;
    };
}

std::string iso8601(std::chrono::system_clock::time_point t) {
    std::time_t seconds = std::chrono::system_clock::to_time_t(t);
    std::tm utc{};
    ::gmtime_r(&seconds, &utc);
    char text[32];
    std::strftime(text, sizeof text, "%Y-%m-%dT%H:%M:%SZ", &utc);
    return text;
}

std::optional<std::chrono::system_clock::time_point> parse_iso8601(const std::string& text) {
    std::tm parts{};
    const char* end = ::strptime(text.c_str(), "%Y-%m-%dT%H:%M:%SZ", &parts);
    if (!end || *end != '\0') return std::nullopt;
    return std::chrono::system_clock::from_time_t(::timegm(&parts));
}

}  // namespace clara
