// OFD locks (man fcntl_locking): they belong to the open file, so they survive fork, end with the last
// descriptor, and a loop device that holds the file holds the lock too. Lock files are never unlinked.
#pragma once
#include <chrono>
#include <optional>
#include <string>
#include <utility>

#include "clara/base/handle.hpp"

namespace clara {

/// Take an exclusive OFD lock on an open file; false where somebody else has it.
bool try_lock(int fd);
/// As try_lock, tried again until the time is over.
bool try_lock_for(int fd, std::chrono::milliseconds wait);
/// True where another open file has the lock (asks, takes nothing).
bool is_locked(int fd);

/// A lock file that says who holds it.
class NamedLock {
  public:
    /// Waits at most `wait`; then Error{busy} that names the holder ("clara-start, pid 412 on host a, since
    /// ...").
    static NamedLock take(const std::string& path, const std::string& what, std::chrono::milliseconds wait);
    /// Who holds it now, nullopt where it is free.
    static std::optional<std::string> holder(const std::string& path);
    /// Free at once, also while a child that was forked beside has not come to its exec yet.
    ~NamedLock();
    NamedLock(NamedLock&&) = default;
    NamedLock& operator=(NamedLock&& other) noexcept {
        std::swap(fd_, other.fd_);
        return *this;
    }

  private:
    explicit NamedLock(Fd fd) : fd_(std::move(fd)) {}
    Fd fd_;
};

}  // namespace clara
