// What a host that comes up starts: guests marked autostart, in their order, with their pauses.
#pragma once
#include <functional>
#include <string>

#include "clara/cli/app.hpp"

namespace clara {

/// Calls start(name) for one guest after the other, lower orders first, then by name; a guest that is up
/// already costs no pause. A failure keeps nobody back. Returns the exit status: the first that was not 0, or
/// 3 where there were several.
int start_in_order(const CommonFlags& flags, const std::function<int(const std::string&)>& start);

}  // namespace clara
