// Logs under /var/log/clara, rotated by size. A full disk loses text, never a service.
#pragma once
#include <string>
#include <string_view>

#include "clara/base/handle.hpp"

namespace guest {

inline constexpr const char* log_folder = "/var/log/clara";

class LogFile {
  public:
    /// NAME.log, then NAME.log.1 (newest) ... NAME.log.KEEP
    LogFile(const std::string& name, std::size_t limit, int keep);
    void append(std::string_view text);
    void close() { fd_.reset(); }

  private:
    bool open();
    void rotate();
    bool put(std::string_view text);

    std::string path_;
    std::size_t limit_, size_ = 0, lost_ = 0;
    int keep_;
    clara::Fd fd_;
};

/// init's own words: init.log, with the time in front; printf's way (no iostream, no fmt in PID 1).
[[gnu::format(printf, 1, 2)]] void say(const char* format, ...);
/// The last word is said: init.log keeps nothing open that would keep a file system writable.
void close_log();
/// As say(), and on the container's console too.
[[gnu::format(printf, 1, 2)]] void complain(const char* format, ...);

}  // namespace guest
