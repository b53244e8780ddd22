#include "clara/cli/flags.hpp"

#include <fmt/format.h>
#include <gnu/libc-version.h>
#include <sys/utsname.h>

#include <cctype>
#include <set>
#include <thread>

#include "clara/base/error.hpp"
#include "clara/base/files.hpp"
#include "clara/base/process.hpp"
#include "clara/base/units.hpp"

namespace clara {
namespace {

/// An option whose text `parse` turns into the value.
template <class Value, class Parse, class Text>
CLI::Option* add_parsed(CLI::App& app, const std::string& names, Value& value, const std::string& doc,
                        Parse parse, Text text, const char* example) {
    auto* option = app.add_option(
        names,
        [&value, names, parse, example](const CLI::results_t& given) {
            auto parsed = parse(given.back());
            if (!parsed)
                throw CLI::ValidationError(names.substr(0, names.find(',')),
                                           fmt::format("'{}' is not like {}", given.back(), example));
            value = *parsed;
            return true;
        },
        doc);
    option->default_str(text(value))->run_callback_for_default(false);
    return option;
}

/// Value of KEY in /etc/os-release, without its quotes.
std::string os_release(const std::string& key) {
    std::string text = read_file("/etc/os-release", 1 << 16).value_or("");
    auto at = ("\n" + text).find("\n" + key + "=");
    if (at == std::string::npos) return "unknown";
    std::string value = text.substr(at + key.size() + 1);
    value = value.substr(0, value.find('\n'));
    std::erase(value, '"');
    return value;
}

/// The version of LXC whose lxc-start would start our guests.
std::string lxc_version() {
    try {
        std::string text = run_ok({"lxc-start", "--version"}, {.timeout = std::chrono::seconds(5)});
        return text.substr(0, text.find('\n'));
    } catch (const Error& e) {
        return fmt::format("not usable ({})", e.what());
    }
}

}  // namespace

CLI::Option* add_duration(CLI::App& app, const std::string& names, std::chrono::milliseconds& value,
                          const std::string& doc) {
    return add_parsed(app, names, value, doc, parse_duration, duration_text, "5s, 250ms or 1d")
        ->type_name("DURATION");
}

CLI::Option* add_size(CLI::App& app, const std::string& names, std::uint64_t& value, const std::string& doc) {
    return add_parsed(app, names, value, doc, parse_size, size_text, "64M or 1GiB")->type_name("SIZE");
}

void add_common_flags(CLI::App& app, const Takes& takes, CommonFlags& flags) {
    const std::string group = "Common flags";
    if (takes.change) {
        app.add_flag("-n,--dry-run", flags.dry_run, "Print the plan and change nothing")->group(group);
        app.add_flag("-y,--yes", flags.yes, "Do not ask")->group(group);
    }
    app.add_flag("-q,--quiet", flags.quiet, "Say nothing but errors")->group(group);
    app.add_flag("-v,--verbose", flags.verbose, "Say more")->group(group);
    if (takes.json) app.add_flag("--json", flags.json, "Print the result, and errors, as JSON")->group(group);
    app.add_option("--config", flags.config, "Site file instead of /etc/clara/site.yaml")
        ->type_name("FILE")
        ->envname("CLARA_CONFIG")
        ->group(group);
    if (takes.pool)
        app.add_option("--pool", flags.pool, "Pool by name or folder, default the site's first")
            ->type_name("POOL")
            ->envname("CLARA_POOL")
            ->group(group);
    if (takes.timeout)
        add_duration(app, "--timeout", flags.timeout, "How long to wait for each guest")
            ->envname("CLARA_TIMEOUT")
            ->group(group);
    if (takes.change) {
        add_duration(app, "--lock-wait", flags.lock_wait,
                     "How long to wait for another run on the same guest")
            ->envname("CLARA_LOCK_WAIT")
            ->group(group);
        app.add_option("--reason", flags.reason, "Why; goes into the audit log")
            ->type_name("TEXT")
            ->envname("CLARA_REASON")
            ->group(group);
    }
    if (takes.jobs) {
        if (flags.jobs == 0) flags.jobs = std::max(1U, std::thread::hardware_concurrency());
        app.add_option("-j,--jobs", flags.jobs, "Guests worked on at once, default one for each processor")
            ->type_name("COUNT")
            ->check(CLI::Range(1U, 256U).description(""))
            ->envname("CLARA_JOBS")
            ->group(group);
    }
}

std::string version_text(const char* tool) {
    utsname system{};
    ::uname(&system);
    return fmt::format("{} {}\nlxc      {}\nkernel   {} {}\nlibc     {}\nsystem   {}", tool, CLARA_VERSION,
                       lxc_version(), system.release, system.machine, ::gnu_get_libc_version(),
                       os_release("PRETTY_NAME"));
}

std::string completion_text(const CLI::App& app) {
    // CLI11's TEXT says nothing; the argument's or flag's own name does.
    auto type_of = [](const CLI::Option& option) {
        if (option.get_expected_max() == 0) return std::string();
        if (option.get_type_name() != "TEXT") return "=" + option.get_type_name();
        std::string name = option.get_name(option.get_positional());
        name.erase(0, name.find_first_not_of('-'));
        for (char& c : name) c = static_cast<char>(std::toupper(static_cast<unsigned char>(c)));
        return "=" + name;
    };
    std::set<std::string> lines;
    for (const CLI::App* level = &app; level; level = level->get_parent())
        for (const CLI::Option* option : level->get_options()) {
            if (option->get_group().empty()) continue;
            for (const auto& name : option->get_lnames()) lines.insert("--" + name + type_of(*option));
            for (const auto& name : option->get_snames()) lines.insert("-" + name + type_of(*option));
            if (option->get_positional()) lines.insert(type_of(*option));
        }
    for (const CLI::App* sub : app.get_subcommands({})) lines.insert(sub->get_name());
    return fmt::format("{}\n", fmt::join(lines, "\n"));
}

}  // namespace clara
