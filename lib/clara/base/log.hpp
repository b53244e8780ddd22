// Talk goes to stderr. Results go to stdout and never through here.
#pragma once
#include <fmt/format.h>

#include <string>

namespace clara::log {

enum class Level { quiet, normal, verbose };

void set_level(Level level);
Level level();

void write(Level at, const std::string& line);

/// Progress: a line on a terminal that the next line of talk, or an empty text, takes away. Else nothing.
void status(const std::string& text);

/// Shown unless --quiet.
template <class... A>
void info(fmt::format_string<A...> f, A&&... a) {
    if (level() >= Level::normal) write(Level::normal, fmt::format(f, std::forward<A>(a)...));
}
/// Shown with --verbose.
template <class... A>
void debug(fmt::format_string<A...> f, A&&... a) {
    if (level() >= Level::verbose) write(Level::verbose, fmt::format(f, std::forward<A>(a)...));
}
/// Always shown.
template <class... A>
void warn(fmt::format_string<A...> f, A&&... a) {
    write(Level::quiet, "warning: " + fmt::format(f, std::forward<A>(a)...));
}

}  // namespace clara::log
