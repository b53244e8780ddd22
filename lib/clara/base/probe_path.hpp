// Looking at paths that may lie on a hung NFS share without hanging ourselves.
#pragma once
#include <chrono>
#include <string>

namespace clara {

enum class PathState { ok, absent, stale, hung };

/// What the child does: 0 or an errno. Runs after fork(2), so async-signal-safe calls only.
using PathLook = int (*)(const char* path);
int look_at_path(const char* path);  ///< statx(AT_STATX_FORCE_SYNC), then statfs

/// A child process looks at the path; past the deadline it is killed, and abandoned
/// where even that does not end it (a FUSE call in state D ignores SIGKILL).
PathState probe_path(const std::string& path, std::chrono::milliseconds deadline,
                     PathLook look = look_at_path);

}  // namespace clara
