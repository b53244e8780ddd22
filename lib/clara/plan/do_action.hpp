// One action done by its driver. Part of the Executor.
#pragma once
#include <functional>
#include <string>

#include "clara/plan/drivers.hpp"

namespace clara {

using Undo = std::function<void()>;

/// Returns how to take it back, empty where nothing needs to be; an action that throws has left nothing to be
/// taken back. `note` is what the report adds.
Undo do_action(const Action& action, Drivers& drivers, std::string& note);

}  // namespace clara
