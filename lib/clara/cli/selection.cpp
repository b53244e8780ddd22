#include "clara/cli/selection.hpp"

#include <set>

#include "clara/base/error.hpp"
#include "clara/spec/names.hpp"

namespace clara {

void add_selection(CLI::App& app, Selection& selection) {
    app.add_option("NAME", selection.names, "Guests, or ranges of them: bpm[01-20]")->type_name("GUEST");
    app.add_flag("--all", selection.all, "All guests of the pool");
}

std::vector<std::string> expand_ranges(const std::vector<std::string>& ranges) {
    std::vector<std::string> names;
    std::set<std::string> seen;
    for (const auto& range : ranges)
        for (auto& name : expand_range(range))
            if (seen.insert(name).second) names.push_back(std::move(name));
    return names;
}

std::vector<std::string> selected(const Selection& selection, const std::vector<std::string>& known) {
    if (selection.all && !selection.names.empty())
        throw Error(ErrorKind::usage, "NAME and --all exclude each other", "give one of them");
    if (!selection.all && selection.names.empty())
        throw Error(ErrorKind::usage, "NAME or --all is required", "clara-list shows the guests");
    return selection.all ? known : expand_ranges(selection.names);
}

}  // namespace clara
