#include "clara/cli/app.hpp"

#include <fmt/format.h>
#include <unistd.h>

#include <cerrno>
#include <cstdio>
#include <cstring>
#include <optional>

#include "clara/base/error.hpp"
#include "clara/base/interrupt.hpp"
#include "clara/base/log.hpp"
#include "clara/cli/flags.hpp"
#include "clara/cli/man.hpp"
#include "clara/cli/tell.hpp"
#include "clara/spec/names.hpp"

namespace clara {
namespace {

/// A subcommand's help ends with the flags it shares with the others.
struct HelpFormatter : CLI::Formatter {
    std::string make_footer(const CLI::App* app) const override {
        const CLI::App* tool = app;
        while (tool->get_parent()) tool = tool->get_parent();
        if (tool == app) return CLI::Formatter::make_footer(app);
        auto shared = tool->get_options([&](const CLI::Option* option) {
            return !option->get_group().empty() && !option->get_positional() &&
                   option != tool->get_help_ptr() && option != tool->get_version_ptr();
        });
        return make_group("Common flags", false, shared) + "\n" + CLI::Formatter::make_footer(app);
    }
};

std::string help_footer(const ToolDoc& doc) {
    std::string text;
    if (!doc.examples.empty()) {
        text += "EXAMPLES\n";
        for (const auto& [command, meaning] : doc.examples)
            text += fmt::format("  {}\n      {}\n", command, meaning);
        text += "\n";
    }
    text += "EXIT STATUS\n";
    for (auto [code, meaning] : exit_statuses()) text += fmt::format("  {:3}  {}\n", code, meaning);
    text.pop_back();
    return text;
}

/// The subcommand that was asked for, else the tool itself.
const CLI::App& deepest(const CLI::App& app) {
    const CLI::App* at = &app;
    while (!at->get_subcommands().empty()) at = at->get_subcommands().back();
    return *at;
}

/// CLI11's message in one line, and the flag that may have been meant.
Error usage_error(const CLI::App& app, const CLI::ParseError& error, const ToolDoc& doc) {
    std::string message = error.what(), hint = fmt::format("see {} --help", doc.name);
    for (char& c : message)
        if (c == '\n') c = ' ';
    for (const std::string& extra : app.remaining(true)) {
        bool flag = extra.size() > 1 && extra[0] == '-';
        message = fmt::format("{} '{}'", flag ? "unknown flag" : "unexpected argument", extra);
        std::vector<std::string> known;
        if (flag)
            for (const CLI::App* level = &deepest(app); level; level = level->get_parent())
                for (const CLI::Option* option : level->get_options())
                    for (const auto& name : option->get_lnames()) known.push_back("--" + name);
        else
            for (const CLI::App* sub : app.get_subcommands({})) known.push_back(sub->get_name());
        if (auto near = nearest(extra.substr(0, extra.find('=')), known); !near.empty())
            hint = fmt::format("did you mean '{}'?", near);
        break;
    }
    return Error(ErrorKind::usage, message, hint);
}

/// Text for people or other programs about the tool itself; nullopt where the tool is to run.
std::optional<std::string> about(CLI::App& app, int argc, char** argv, const ToolDoc& doc) {
    const std::string last = argc > 1 ? argv[argc - 1] : "";
    if (last == "--man" && argc == 2) return man_page(app, doc);
    if (last == "--flags") {
        const CLI::App* at = &app;
        for (int i = 1; i + 1 < argc; ++i)
            for (const CLI::App* sub : at->get_subcommands({}))
                if (sub->check_name(argv[i])) at = sub;
        return completion_text(*at);
    }
    try {
        app.parse(argc, argv);
    } catch (const CLI::CallForHelp&) {
        return app.help();
    } catch (const CLI::CallForVersion& version) {
        return std::string(version.what()) + "\n";
    } catch (const CLI::ParseError& error) {
        throw usage_error(app, error, doc);
    }
    return std::nullopt;
}

/// A result that did not reach its reader (disk full) is a failure.
void flush_result() {
    if (std::fflush(stdout) != 0 || std::ferror(stdout)) throw system_error("cannot write the result", errno);
}

}  // namespace

int run_tool(int argc, char** argv, const ToolDoc& doc,
             const std::function<void(CLI::App&, CommonFlags&)>& setup,
             const std::function<int(CommonFlags&)>& body) {
    // Known before the flags are parsed, since an error of the parser is JSON, too.
    CommonFlags flags;
    for (int i = 1; i < argc && std::strcmp(argv[i], "--") != 0; ++i)
        if (doc.takes.json && std::strcmp(argv[i], "--json") == 0) flags.json = true;
    try {
        CLI::App app(doc.description, doc.name);
        app.formatter(std::make_shared<HelpFormatter>());
        app.get_formatter()->column_width(34);
        app.footer(help_footer(doc));
        app.set_help_flag("-h,--help", "Show this help and exit");
        app.set_version_flag(
            "-V,--version", [&] { return version_text(doc.name); },
            "Show versions for a bug report and exit");
        app.fallthrough();
        setup(app, flags);
        add_common_flags(app, doc.takes, flags);
        if (auto text = about(app, argc, argv, doc)) {
            std::fputs(text->c_str(), stdout);
            flush_result();
            return 0;
        }
        if (auto* timeout = app.get_option_no_throw("--timeout")) flags.timeout_set = timeout->count() > 0;
        if (flags.quiet) log::set_level(log::Level::quiet);
        if (flags.verbose) log::set_level(log::Level::verbose);
        catch_interrupts();
        int status = body(flags);
        flush_result();
        return status;
    } catch (const Error& error) {
        tell(doc.name, error.kind(), error.message(), error.hint(), flags.json);
        return static_cast<int>(error.kind());
    } catch (const std::exception& error) {
        tell(doc.name, ErrorKind::failed, error.what(), "", flags.json);
        return static_cast<int>(ErrorKind::failed);
    }
}

CLI::App* add_verb(CLI::App& app, std::string& chosen, const char* verb, const char* text) {
    app.require_subcommand(1);
    CLI::App* sub = app.add_subcommand(verb, text);
    sub->callback([&chosen, verb] { chosen = verb; });
    return sub;
}

void require_root() {
    if (::geteuid() != 0)
        throw Error(ErrorKind::refused, "this needs root",
                    fmt::format("sudo {}", program_invocation_short_name));
}

const std::vector<std::pair<int, const char*>>& exit_statuses() {
    static const std::vector<std::pair<int, const char*>> table{
        {0, "done, or nothing to do"},
        {1, "failed and undone"},
        {2, "wrong usage or YAML; nothing touched"},
        {3, "some of the guests failed"},
        {4, "refused by a safety check; nothing touched"},
        {5, "busy; the message names the holder"},
        {6, "undo incomplete; a person must look"},
        {7, "host unreachable"},
        {130, "interrupted by SIGINT and undone"},
        {143, "interrupted by SIGTERM and undone"},
    };
    return table;
}

}  // namespace clara
