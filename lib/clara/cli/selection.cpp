#include "clara/cli/selection.hpp"

#include <fmt/format.h>
#include <fmt/ranges.h>

#include <algorithm>
#include <set>

#include "clara/base/error.hpp"
#include "clara/base/log.hpp"
#include "clara/spec/names.hpp"

namespace clara {
namespace {

/// Error{usage} for a tag that nobody has: with two of them, a misspelt one would go unnoticed else.
void check_tags(const std::vector<std::string>& tags, const std::set<std::string>& known) {
    for (const auto& tag : tags) {
        if (known.count(tag)) continue;
        const auto near = nearest(tag, {known.begin(), known.end()});
        throw Error(ErrorKind::usage, fmt::format("no guest has the tag '{}'", tag),
                    !near.empty()   ? fmt::format("did you mean '{}'?", near)
                    : known.empty() ? "none has any: tags: [WORD] in a template or in a guest's guest.yaml"
                                    : fmt::format("known: {}", fmt::join(known, ", ")));
    }
}

std::vector<std::string> tagged(const std::vector<std::string>& tags,
                                const std::map<std::string, GuestFact>& known) {
    std::vector<std::string> names;
    std::set<std::string> all;
    for (const auto& [name, guest] : known) {
        all.insert(guest.tags.begin(), guest.tags.end());
        if (!guest.problem.empty()) log::warn("{}: its tags are not known: {}", name, guest.problem);
        if (std::any_of(guest.tags.begin(), guest.tags.end(), [&](const std::string& tag) {
                return std::find(tags.begin(), tags.end(), tag) != tags.end();
            }))
            names.push_back(name);
    }
    check_tags(tags, all);
    return names;
}

void add_names_and_tags(CLI::App& app, Selection& selection, const char* names) {
    app.add_option("NAME", selection.names, names)->type_name("GUEST");
    app.add_option("--tag", selection.tags, "All guests that have this tag, or one of several")
        ->type_name("WORD")
        ->allow_extra_args(false);
}

}  // namespace

void add_selection(CLI::App& app, Selection& selection) {
    add_names_and_tags(app, selection, "Guests, or ranges of them: bpm[01-20]");
    app.add_flag("--all", selection.all, "All guests of the pool");
}

void add_listing(CLI::App& app, Selection& selection) {
    add_names_and_tags(app, selection, "Guests, or ranges of them; default all");
}

std::vector<std::string> expand_ranges(const std::vector<std::string>& ranges) {
    std::vector<std::string> names;
    std::set<std::string> seen;
    for (const auto& range : ranges)
        for (auto& name : expand_range(range))
            if (seen.insert(name).second) names.push_back(std::move(name));
    return names;
}

void check_selection(const Selection& selection) {
    const bool names = !selection.names.empty(), tags = !selection.tags.empty();
    if (names + tags + selection.all > 1)
        throw Error(ErrorKind::usage,
                    fmt::format("{} and {} exclude each other", names ? "NAME" : "--tag",
                                selection.all ? "--all" : "--tag"),
                    "give one of them");
    if (!names && !tags && !selection.all)
        throw Error(ErrorKind::usage, "NAME, --all or --tag is required", "clara-list shows the guests");
    expand_ranges(selection.names);
}

std::vector<std::string> selected(const Selection& selection, const std::map<std::string, GuestFact>& known) {
    check_selection(selection);
    if (!selection.names.empty()) return expand_ranges(selection.names);
    if (!selection.tags.empty()) return tagged(selection.tags, known);
    std::vector<std::string> all;
    for (const auto& [name, guest] : known) all.push_back(name);
    return all;
}

std::vector<std::string> listed(Selection selection, const std::map<std::string, GuestFact>& known) {
    selection.all = selection.names.empty() && selection.tags.empty();
    return selected(selection, known);
}

}  // namespace clara
