// A place to put mounts together where nobody sees them.
#pragma once
#include <functional>
#include <string>

namespace clara {

/// Calls `work` in a mount namespace of its own, which is gone with all that was mounted in it when this
/// returns or the process is killed; what detached mounts (open_tree, an overlay) were made of lives on with
/// them. `stage` is an empty folder in memory. `work` runs in another thread; what it throws is thrown.
void in_private_mounts(const std::function<void(const std::string& stage)>& work);

}  // namespace clara
