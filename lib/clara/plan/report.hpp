// What came of a batch of plans.
#pragma once
#include <string>
#include <vector>

#include "clara/base/error.hpp"

namespace clara {

struct Outcome {
    std::string guest;
    bool ok = false;
    bool changed = false;   ///< false: nothing was to do
    bool stale = false;     ///< the facts changed before anything was done: plan again
    bool unproven = false;  ///< it was started, but its ports did not answer
    std::string note;       ///< e.g. "10.87.0.11, answers after 1.02 s"
    std::string message;    ///< of the error
    std::string hint;
    ErrorKind kind = ErrorKind::failed;
    double seconds = 0;
};

struct Report {
    std::string verb;
    std::vector<Outcome> outcomes;
    /// 0; the only guest's own kind; undo_incomplete or interrupted where one is; else 3.
    int exit_code() const;
    /// "failed for 1 of 7", empty where all went well.
    std::string summary() const;
};

}  // namespace clara
