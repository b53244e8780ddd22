// A mounted file system held still for a moment, with certainty that it moves again.
#pragma once
#include <sys/types.h>

#include <chrono>

#include "clara/base/handle.hpp"

namespace clara {

/// What to do where a freeze would last too long.
constexpr const char* too_busy_hint =
    "try again when the pool's disk is less busy, allow more with --freeze-limit, or stop the guest first";

/// FIFREEZE of linux/fs.h: from the constructor to thaw() or the
/// destructor everybody who writes waits. A process of its own, the keeper, thaws when we are killed, and
/// when `limit` is over. It is a child that ignores signals, has a session of its own and is the last to be
/// killed for want of memory.
class Freeze {
  public:
    /// `mount` is an open folder of the file system. Error{busy} where somebody else has frozen it.
    Freeze(int mount, std::chrono::milliseconds limit);
    Freeze(const Freeze&) = delete;
    Freeze& operator=(const Freeze&) = delete;
    ~Freeze();

    /// How long writes had to wait. Error{failed} where the keeper was faster, so that what was read
    /// meanwhile may be of several moments.
    std::chrono::microseconds thaw();

  private:
    void end_keeper();

    int mount_;
    std::chrono::milliseconds limit_;
    std::chrono::steady_clock::time_point began_;
    Fd keeper_;  ///< our end of a socket; its closing ends the keeper
    pid_t pid_ = -1;
    bool frozen_ = false;
};

}  // namespace clara
