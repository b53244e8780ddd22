// The way of start, stop, restart and destroy: names -> specs and facts -> plans -> printed or run.
#pragma once
#include <functional>
#include <string>

#include "clara/cli/app.hpp"
#include "clara/cli/selection.hpp"
#include "clara/ops/lifecycle.hpp"

namespace clara {

struct Verb {
    std::string name;      ///< e.g. "start"
    bool starts = false;   ///< host paths and helper programs matter
    std::string question;  ///< asked first unless --yes, e.g. "Delete"; empty: nothing is asked
    bool disks = false;    ///< what the guests keep of themselves matters: their snapshots
};

/// What a planner may look at. `spec` reads guest.yaml, which only some verbs need.
struct Planning {
    const std::string& name;
    const std::string& pool;
    const Site& site;
    const Facts& facts;
    std::function<GuestSpec()> spec;
};
using GuestPlanner = std::function<Plan(const Planning&)>;

/// Returns the tool's exit status.
int run_verb(const Verb& verb, const Selection& selection, const GuestPlanner& planner,
             const CommonFlags& flags);

}  // namespace clara
