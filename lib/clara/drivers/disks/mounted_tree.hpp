// The files of a mount that is attached nowhere, or of any folder that is a stranger's root.
#pragma once
#include "clara/base/handle.hpp"
#include "clara/ops/guest_tree.hpp"

namespace clara {

class MountedTree : public GuestTree {
  public:
    explicit MountedTree(int root) : root_(root) {}  ///< stays the caller's

    /// Error{refused} above a megabyte: it is asked for a system's own small files.
    std::optional<std::string> read(const std::string& path) const override;
    std::vector<std::string> list(const std::string& path) const override;
    bool exists(const std::string& path) const override;
    std::optional<std::string> link_target(const std::string& path) const override;

  private:
    int root_;
};

}  // namespace clara
