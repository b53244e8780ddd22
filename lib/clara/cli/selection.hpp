// Which guests a tool works on: NAME... with ranges, --all, or --tag.
#pragma once
#include <map>
#include <string>
#include <vector>

#include "clara/cli/app.hpp"
#include "clara/ops/facts.hpp"

namespace clara {

struct Selection {
    std::vector<std::string> names;
    bool all = false;
    std::vector<std::string> tags;  ///< guests that have any of them
};
/// NAME, --all and --tag.
void add_selection(CLI::App& app, Selection& selection);
/// NAME and --tag; neither means all, as of a list.
void add_listing(CLI::App& app, Selection& selection);

/// Ranges expanded, in the order given, each name once.
std::vector<std::string> expand_ranges(const std::vector<std::string>& ranges);

/// Error{usage} where nothing or more than one way is given: before anything is asked or made.
void check_selection(const Selection& selection);

/// Names as given, whether there is such a guest or not, or those of `known` that are meant. Error{usage}
/// where none or several of names, --all and --tag are given, or no guest has such a tag.
std::vector<std::string> selected(const Selection& selection, const std::map<std::string, GuestFact>& known);

/// The same for a list: all where nothing is given.
std::vector<std::string> listed(Selection selection, const std::map<std::string, GuestFact>& known);

}  // namespace clara
