#include "clara/plan/report.hpp"

#include <fmt/format.h>

#include <algorithm>

namespace clara {

int Report::exit_code() const {
    std::size_t bad = 0;
    ErrorKind kind = ErrorKind::failed;
    for (const auto& outcome : outcomes) {
        if (outcome.ok) continue;
        // A person must look, or the user pressed ^C: that outweighs what the others say.
        for (auto grave : {ErrorKind::undo_incomplete, ErrorKind::interrupted, ErrorKind::terminated})
            if (outcome.kind == grave) return static_cast<int>(grave);
        kind = outcome.kind;
        ++bad;
    }
    if (bad == 0) return 0;
    return static_cast<int>(outcomes.size() == 1 ? kind : ErrorKind::partial);
}

std::string Report::summary() const {
    auto bad = std::count_if(outcomes.begin(), outcomes.end(), [](const Outcome& o) { return !o.ok; });
    return bad == 0 ? "" : fmt::format("failed for {} of {}", bad, outcomes.size());
}

}  // namespace clara
