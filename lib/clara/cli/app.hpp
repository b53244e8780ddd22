// The frame of every tool: shared flags, help, version, one catch, exit codes. A tool's main is one call:
//   return run_tool(argc, argv, doc, [&](CLI::App& app, CommonFlags&) {...}, [&](CommonFlags& flags) {...});
#pragma once
#include <CLI/App.hpp>
#include <CLI/Config.hpp>
#include <CLI/Formatter.hpp>
#include <chrono>
#include <functional>
#include <string>
#include <utility>
#include <vector>

namespace clara {

/// Values of the shared flags. setup may change a default (e.g. the timeout) before the flags are made.
struct CommonFlags {
    bool dry_run = false, yes = false, quiet = false, verbose = false, json = false;
    std::string config;  ///< site file, "" = /etc/clara/site.yaml if it is there
    std::string pool;    ///< name or folder, "" = the site's first
    std::string reason;
    std::chrono::milliseconds timeout{10000}, lock_wait{0};
    bool timeout_set = false;  ///< by flag or environment: no longer the tool's default
    unsigned jobs = 0;         ///< guests worked on at once; 0 in setup: one for each processor
};

/// Which groups of shared flags a tool takes; --help, --version, -q, -v and --config all do.
struct Takes {
    bool json = true;
    bool pool = false;
    bool change = false;  ///< -n, -y, --lock-wait, --reason
    bool timeout = false;
    bool jobs = false;
};

/// What help and man page say beside the flags.
struct ToolDoc {
    const char* name;         ///< e.g. "clara-start"
    const char* summary;      ///< for the man page's NAME line: "start guests"
    const char* description;  ///< paragraphs are separated by an empty line
    std::vector<std::pair<std::string, std::string>> examples;  ///< command line, what it does
    Takes takes = {};
    std::function<std::string()> extra_roff = {};  ///< man page sections of its own, e.g. a table of keys
};

/// Parses, runs body and returns its exit status; an error of any kind ends here (design.md's exit codes).
int run_tool(int argc, char** argv, const ToolDoc& doc,
             const std::function<void(CLI::App&, CommonFlags&)>& setup,
             const std::function<int(CommonFlags&)>& body);

/// A subcommand of a tool that has to be told one; `chosen` becomes its name.
CLI::App* add_verb(CLI::App& app, std::string& chosen, const char* verb, const char* text);

/// Error{refused} where we are not root; to be called before the first change.
void require_root();

/// An option that takes "5s" or "250ms"; the value it has now is the default in the help.
CLI::Option* add_duration(CLI::App& app, const std::string& names, std::chrono::milliseconds& value,
                          const std::string& doc);
/// An option that takes "64M" or "1GiB".
CLI::Option* add_size(CLI::App& app, const std::string& names, std::uint64_t& value, const std::string& doc);

/// Exit status and its meaning, as help and man pages list them.
const std::vector<std::pair<int, const char*>>& exit_statuses();

}  // namespace clara
