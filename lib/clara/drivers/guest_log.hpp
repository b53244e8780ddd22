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

/// /var/log/clara/SERVICE.log; Error{usage} where no service can have that name.
std::string log_path(const std::string& service);

/// At most `limit` bytes of an open log from byte `at` on.
std::string read_from(const Fd& fd, off_t at, std::size_t limit);

LogReader running_log(const GuestRoot& root);
LogReader stopped_log(const std::string& disk);  ///< e.g. /var/lib/clara/guests/bpm01/disk.raw

/// The last `lines` lines, rotated files included (at most 4 MiB). Error{usage} where there is no such log.
std::string log_tail(const LogReader& read, const std::string& service, std::size_t lines);

/// What is added to a log from now on, over rotations. Nothing is held open between two calls.
class LogFollower {
  public:
    /// The log, or with `rotated` the newest of those that were put aside; nullopt where it is absent.
    using Open = std::function<std::optional<Fd>(bool rotated)>;
    /// From the end of the log as it is now, until `alive` says no.
    LogFollower(Open open, std::function<bool()> alive);
    LogFollower(const GuestRoot& root, const std::string& service);
    std::optional<std::string> more();  ///< nullopt: the guest has ended

  private:
    Open open_;
    std::function<bool()> alive_;
    ino_t inode_ = 0;
    off_t at_ = 0;
};

/// Log text made safe for a terminal: no carriage returns, no escape sequences.
std::string plain_log(const std::string& text);

}  // namespace clara
