#include "clara/cli/man.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <set>

namespace clara {
namespace {

/// "\fB\-n\fR, \fB\-\-dry\-run\fR" and the value's name in italics.
std::string option_heading(const CLI::Option& option) {
    std::vector<std::string> names;
    for (const auto& name : option.get_snames()) names.push_back("-" + name);
    for (const auto& name : option.get_lnames()) names.push_back("--" + name);
    std::string text;
    for (const auto& name : names)
        text += fmt::format("{}\\fB{}\\fR", text.empty() ? "" : ", ", roff_escape(name));
    if (option.get_expected_max() > 0)
        text += fmt::format("{}\\fI{}\\fR", text.empty() ? "" : " ",
                            roff_escape(text.empty() ? option.get_name(true) : option.get_type_name()));
    return text;
}

std::string option_entry(const CLI::Option& option) {
    std::string doc = option.get_description();
    if (!doc.empty() && doc.back() != '.') doc += ".";
    if (!option.get_default_str().empty()) doc += " Default: " + option.get_default_str() + ".";
    if (!option.get_envname().empty()) doc += " Environment: " + option.get_envname() + ".";
    return fmt::format(".TP\n{}\n{}\n", option_heading(option), roff_escape(doc));
}

std::string synopsis(const CLI::App& app, const std::string& name) {
    std::string text = fmt::format("\\fB{}\\fR", roff_escape(name));
    for (const CLI::App* sub : app.get_subcommands({}))
        if (sub == app.get_subcommands({}).front()) text += " \\fICOMMAND\\fR";
    text += " [\\fIFLAGS\\fR]";
    for (const CLI::Option* option : app.get_options())
        if (option->get_positional()) {
            std::string value = fmt::format("\\fI{}\\fR{}", roff_escape(option->get_name(true)),
                                            option->get_expected_max() > 1 ? "..." : "");
            text += option->get_required() ? " " + value : " [" + value + "]";
        }
    return text + "\n";
}

/// All options of one app, arguments first, then group after group in the order of their making.
std::string options_section(const CLI::App& app) {
    std::vector<std::string> groups;
    std::string text;
    for (const CLI::Option* option : app.get_options()) {
        if (option->get_positional()) text += option_entry(*option);
        const auto& group = option->get_group();
        if (!group.empty() && std::find(groups.begin(), groups.end(), group) == groups.end())
            groups.push_back(group);
    }
    for (const auto& group : groups) {
        if (group != "Options") text += fmt::format(".SS {}\n", roff_escape(group));
        for (const CLI::Option* option : app.get_options())
            if (option->get_group() == group && !option->get_positional()) text += option_entry(*option);
    }
    return text;
}

std::string paragraphs(const std::string& text) {
    std::string out;
    for (std::size_t at = 0; at < text.size();) {
        auto end = std::min(text.find("\n\n", at), text.size());
        out += (out.empty() ? "" : ".PP\n") + roff_escape(text.substr(at, end - at)) + "\n";
        at = end + 2;
    }
    return out;
}

/// Those of a command follow it.
std::string commands(const CLI::App& app, const std::string& tool, const std::string& above) {
    std::string text;
    for (const CLI::App* sub : app.get_subcommands({})) {
        const std::string name = above + sub->get_name();
        text += fmt::format(".SS {}\n", roff_escape(name)) + synopsis(*sub, tool + " " + name) + ".PP\n" +
                paragraphs(sub->get_description()) + options_section(*sub) + commands(*sub, tool, name + " ");
    }
    return text;
}

std::string environment_section(const CLI::App& app) {
    std::set<std::string> names;
    for (const CLI::Option* option : app.get_options())
        if (!option->get_envname().empty()) names.insert(option->get_envname());
    std::string text;
    for (const auto& name : names)
        text += fmt::format(".TP\n.B {}\nDefault of the flag that names it above.\n", name);
    return text + ".TP\n.B NO_COLOR\nNo colour, whatever the terminal can do.\n";
}

}  // namespace

std::string roff_escape(const std::string& text) {
    std::string out;
    bool line_start = true;
    for (char c : text) {
        if (line_start && (c == '.' || c == '\'')) out += "\\&";
        if (c == '\\')
            out += "\\e";
        else if (c == '-')
            out += "\\-";
        else
            out += c;
        line_start = c == '\n';
    }
    return out;
}

std::string man_page(const CLI::App& app, const ToolDoc& doc) {
    std::string title = doc.name;
    std::transform(title.begin(), title.end(), title.begin(),
                   [](char c) { return c >= 'a' && c <= 'z' ? c - 32 : c; });
    std::string text =
        fmt::format(".\\\" Made by {} --man; do not edit.\n.TH {} 1 \"\" \"clara {}\" \"clara\"\n", doc.name,
                    title, CLARA_VERSION);
    text += fmt::format(".SH NAME\n{} \\- {}\n", roff_escape(doc.name), roff_escape(doc.summary));
    text += ".SH SYNOPSIS\n" + synopsis(app, doc.name);
    text += ".SH DESCRIPTION\n" + paragraphs(doc.description);
    if (!app.get_subcommands({}).empty()) text += ".SH COMMANDS\n" + commands(app, doc.name, "");
    text += ".SH OPTIONS\n" + options_section(app);
    if (doc.extra_roff) text += doc.extra_roff();
    text += ".SH EXIT STATUS\n";
    for (auto [code, meaning] : exit_statuses())
        text += fmt::format(".TP\n.B {}\n{}\n", code, roff_escape(meaning));
    text += ".SH ENVIRONMENT\n" + environment_section(app);
    text += ".SH FILES\n.TP\n.I /etc/clara/site.yaml\nThe site: pools, networks, defaults.\n";
    if (!doc.examples.empty()) text += ".SH EXAMPLES\n";
    for (const auto& [command, meaning] : doc.examples)
        text += fmt::format(".TP\n.B {}\n{}\n", roff_escape(command), roff_escape(meaning));
    return text;
}

}  // namespace clara
