// A Plan is a value: made by pure planners, printed by --dry-run, run by the Executor.
#pragma once
#include <string>
#include <vector>

#include "clara/plan/action.hpp"

namespace clara {

struct Plan {
    std::string verb;   ///< e.g. "create"; for the audit line and the journal
    std::string guest;  ///< one plan changes one guest
    std::string pool;   ///< absolute folder; the lock POOL/locks/GUEST is held while it runs
    std::string note;   ///< what the result line adds, e.g. the address; may be empty
    std::vector<Action> actions;
    bool empty() const { return actions.empty(); }
};

/// One line a guest, one an action, as --dry-run prints it.
std::string print(const Plan& plan);

}  // namespace clara
