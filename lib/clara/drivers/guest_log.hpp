// The logs that clara-init keeps in /var/log/clara: SERVICE.log, then SERVICE.log.1 (newest) and so on.
#pragma once
#include <sys/types.h>

#include <cstdint>
#include <functional>
#include <optional>
#include <string>

#include "clara/drivers/guest_root.hpp"

namespace clara {

/// The last bytes of the file at a path inside the guest; nullopt where it is absent.
using LogReader = std::function<std::optional<std::string>(const std::string& path, std::size_t last_bytes)>;

LogReader running_log(const GuestRoot& root);
LogReader stopped_log(const std::string& disk);  ///< e.g. /var/lib/clara/guests/bpm01/disk.raw

/// The last `lines` lines, rotated files included (at most 4 MiB). Error{usage} where there is no such log.
std::string log_tail(const LogReader& read, const std::string& service, std::size_t lines);

/// What is added to a log from now on, over rotations. Nothing is held open between two calls.
class LogFollower {
  public:
    /// From the end of the log as it is now.
    LogFollower(const GuestRoot& root, const std::string& service);
    std::optional<std::string> more();  ///< nullopt: the guest has ended

  private:
    const GuestRoot& root_;
    std::string path_;
    ino_t inode_ = 0;
    off_t at_ = 0;
};

/// Log text made safe for a terminal: no carriage returns, no escape sequences.
std::string plain_log(const std::string& text);

}  // namespace clara
