// The only code that changes a host: runs plans, undoes a failed one in reverse, keeps the journal.
#pragma once
#include <chrono>
#include <functional>
#include <string>
#include <vector>

#include "clara/plan/drivers.hpp"
#include "clara/plan/plan.hpp"
#include "clara/plan/report.hpp"

namespace clara {

struct ExecutorOptions {
    std::chrono::milliseconds lock_wait{0};
    unsigned jobs = 1;
    std::string reason;                                         ///< --reason, goes into the audit line
    std::function<void(const Plan&, const Action&)> on_action;  ///< progress; may be empty
};

/// Runs each plan (several at once with jobs > 1); one failure does not stop the others, an interrupt does.
Report execute(const std::vector<Plan>& plans, Drivers& drivers, const ExecutorOptions& options);

}  // namespace clara
