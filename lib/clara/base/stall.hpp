// Who is in a system call on a share that may never answer, and since when: kept where another process sees
// it. A thread in such a call cannot be ended, not even by SIGKILL (FUSE), so that nobody may wait for it.
#pragma once
#include <chrono>
#include <optional>
#include <string>

namespace clara {

/// From here on, watched calls of this process and of its children are seen by all of them. To be called
/// once, before the fork and before any thread is made.
void watch_stalls();

/// A call that may stall, never the work around many of them: who takes its time is not to be ended. E.g.
/// StallScope scope("writing to the store"); costs some nanoseconds, nothing without watch_stalls(). `what`
/// has to be a literal. At most 64 at once are seen.
class StallScope {
  public:
    explicit StallScope(const char* what);
    ~StallScope();
    StallScope(const StallScope&) = delete;
    StallScope& operator=(const StallScope&) = delete;

  private:
    int slot_ = -1;
};

/// For as long as it lives, calls that nobody notes may be under way on the share, also by programs of
/// others: who watches has to ask the share itself whether it answers.
class StallRegion {
  public:
    StallRegion();
    ~StallRegion();
    StallRegion(const StallRegion&) = delete;
    StallRegion& operator=(const StallRegion&) = delete;
};

/// What has been under way for at least `limit`; nullopt: nothing has.
std::optional<std::string> stalled(std::chrono::milliseconds limit);
/// Is there any StallRegion?
bool in_stall_region();

}  // namespace clara
