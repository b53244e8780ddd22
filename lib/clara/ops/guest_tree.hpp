// The files of a guest that does not run, as far as planners read them.
#pragma once
#include <optional>
#include <string>
#include <vector>

namespace clara {

/// Paths are absolute, inside the guest; symbolic links are followed as they would be there.
class GuestTree {
  public:
    virtual ~GuestTree() = default;
    /// The text of a file; nullopt where there is none.
    virtual std::optional<std::string> read(const std::string& path) const = 0;
    /// Names in a folder, sorted; empty where there is no such folder.
    virtual std::vector<std::string> list(const std::string& path) const = 0;
    /// Anything of that name, a link that leads nowhere too.
    virtual bool exists(const std::string& path) const = 0;
    /// Where the link leads, as it is written; nullopt where the path is no link.
    virtual std::optional<std::string> link_target(const std::string& path) const = 0;
};

}  // namespace clara
