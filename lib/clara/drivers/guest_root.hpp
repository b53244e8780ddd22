// A running guest's files, seen from the host. Its root is a stranger's: links lead nowhere outside of it.
#pragma once
#include <cstdint>
#include <optional>
#include <string>

#include "clara/base/handle.hpp"

namespace clara {

/// Bound to one process: when that is gone, open() fails, whoever has its number by then. Nothing inside is
/// held open between calls (an open file would keep the guest's disk from being freed).
class GuestRoot {
  public:
    explicit GuestRoot(int init_pid);

    /// The file at an absolute path inside. Error{failed} where it is absent or not to be opened.
    Fd open(const std::string& path, int flags) const;
    /// As open() for reading; nullopt where it is absent; Error where it is not a regular file.
    std::optional<Fd> open_file(const std::string& path) const;
    bool alive() const;  ///< false from the moment its root cannot be entered any more

  private:
    Fd process_;
    std::string name_;
};

}  // namespace clara
