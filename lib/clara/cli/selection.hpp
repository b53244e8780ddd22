// Which guests a tool works on: NAME... with ranges, or --all.
#pragma once
#include <string>
#include <vector>

#include "clara/cli/app.hpp"

namespace clara {

struct Selection {
    std::vector<std::string> names;
    bool all = false;
};
void add_selection(CLI::App& app, Selection& selection);

/// Ranges expanded, in the order given, each name once.
std::vector<std::string> expand_ranges(const std::vector<std::string>& ranges);

/// Error{usage} where neither names nor --all are given, or both.
std::vector<std::string> selected(const Selection& selection, const std::vector<std::string>& known);

}  // namespace clara
