#include "clara/base/log.hpp"

#include <unistd.h>

#include <atomic>

namespace clara::log {
namespace {
std::atomic<Level> current{Level::normal};
}

void set_level(Level level) {
    current = level;
}
Level level() {
    return current;
}

void write(Level, const std::string& line) {
    // One write a line, so that lines of parallel jobs do not mix.
    std::string text = line + "\n";
    [[maybe_unused]] auto ignored = ::write(STDERR_FILENO, text.data(), text.size());
}

}  // namespace clara::log
