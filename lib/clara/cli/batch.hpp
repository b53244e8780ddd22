// One verb for many guests: planned one by one, shown or run together, reported once.
#pragma once
#include <functional>
#include <string>
#include <vector>

#include "clara/cli/app.hpp"
#include "clara/plan/executor.hpp"

namespace clara {

/// Plans for the guests that can be worked on, and what stood against the others.
struct Batch {
    std::string verb;  ///< e.g. "start"
    std::vector<Plan> plans;
    std::vector<Outcome> refused;
};

/// Calls plan(name) for each name; an Error stands against that guest only.
Batch plan_each(const std::string& verb, const std::vector<std::string>& names,
                const std::function<Plan(const std::string&)>& plan);

/// With --dry-run prints the plans; else runs them with progress and prints the report. Returns the exit
/// status.
int carry_out(const Batch& batch, Drivers& drivers, const CommonFlags& flags);

/// Prints the plans as --dry-run does: text or `clara.plan/1`. Returns the exit status.
int show_plans(const Batch& batch, const CommonFlags& flags);

/// Prints a report: lines or `clara.report/1` on stdout, failures on stderr. Returns the exit status.
int show_report(const Report& report, const CommonFlags& flags);

/// Progress for ExecutorOptions::on_action: a line that comes and goes on a terminal, plain lines with
/// --verbose.
std::function<void(const Plan&, const Action&)> progress_of(std::size_t plans);

}  // namespace clara
