// Looking at paths that may lie on a hung NFS share without hanging ourselves.
#pragma once
#include <chrono>
#include <string>

namespace clara {

enum class PathState { ok, absent, stale, hung };

/// A child process does statx(AT_STATX_FORCE_SYNC) and statfs; past the deadline it is killed, and abandoned
/// where even that does not end it (a FUSE call in state D ignores SIGKILL).
PathState probe_path(const std::string& path, std::chrono::milliseconds deadline);

}  // namespace clara
