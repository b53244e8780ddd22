#include "clara/base/log.hpp"

#include <unistd.h>

#include <atomic>

namespace clara::log {
namespace {
std::atomic<Level> current{Level::normal};
std::atomic<bool> status_shown{false};

void to_stderr(const std::string& text) {
    // One write a line, so that lines of parallel jobs do not mix. With stderr gone there is nobody to tell.
    [[maybe_unused]] auto written = ::write(STDERR_FILENO, text.data(), text.size());
}
constexpr const char* erase_line = "\r\033[K";
}  // namespace

void set_level(Level level) {
    current = level;
}
Level level() {
    return current;
}

void write(Level, const std::string& line) {
    to_stderr((status_shown.exchange(false) ? erase_line : "") + line + "\n");
}

void status(const std::string& text) {
    static const bool terminal = ::isatty(STDERR_FILENO);
    if (!terminal || level() == Level::quiet || (text.empty() && !status_shown)) return;
    status_shown = !text.empty();
    // Cut to one line of the narrowest usual terminal: a line that wraps cannot be taken away.
    to_stderr(erase_line + text.substr(0, 79));
}

}  // namespace clara::log
