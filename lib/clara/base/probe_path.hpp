// Looking at paths that may lie on a hung NFS share without hanging ourselves.
#pragma once
#include <sys/types.h>

#include <chrono>
#include <optional>
#include <string>

#include "clara/base/handle.hpp"

namespace clara {

enum class PathState { ok, absent, stale, hung };

/// What the child does: 0 or an errno. Runs after fork(2), so async-signal-safe calls only.
using PathLook = int (*)(const char* path);
int look_at_path(const char* path);  ///< statx(AT_STATX_FORCE_SYNC), then statfs

/// A child process that looks at a path.
class PathProbe {
  public:
    explicit PathProbe(const std::string& path, PathLook look = look_at_path);
    /// A child that still looks is killed, and abandoned where even that does not end it (a FUSE call in
    /// state D ignores SIGKILL).
    ~PathProbe();
    PathProbe(const PathProbe&) = delete;
    PathProbe& operator=(const PathProbe&) = delete;

    /// What it has found; nullopt: nothing after that time.
    std::optional<PathState> answer(std::chrono::milliseconds wait);

  private:
    pid_t pid_ = -1;
    Fd child_;
};

/// As one PathProbe finds it within the deadline; else it hangs.
PathState probe_path(const std::string& path, std::chrono::milliseconds deadline,
                     PathLook look = look_at_path);

}  // namespace clara
