// Running other programs: argv only, never a shell string; a deadline; output bounded.
#pragma once
#include <chrono>
#include <functional>
#include <string>
#include <string_view>
#include <vector>

namespace clara {

struct RunOptions {
    std::chrono::milliseconds timeout{60000};  ///< then SIGKILL and an Error
    std::string input;                         ///< standard input, e.g. a public key
    std::vector<std::string> extra_env;        ///< "KEY=value" added to our environment
    std::string cwd;
    bool inherit_stderr = false;          ///< progress of a long program goes to our own stderr
    std::size_t output_limit = 16 << 20;  ///< bytes of stdout (and of stderr) kept
    /// Takes stdout piece by piece as it comes, in place of RunResult::out. What it throws ends the program.
    std::function<void(std::string_view)> on_output;
};

struct RunResult {
    int status = 0;  ///< exit status, or 128 + signal
    std::string out;
    std::string err;
};

/// Run a program found in PATH and wait for it. Throws Error where it cannot start or overruns.
RunResult run(const std::vector<std::string>& argv, const RunOptions& options = {});

/// As run(), and a status other than 0 is an Error with the last lines of its stderr.
std::string run_ok(const std::vector<std::string>& argv, const RunOptions& options = {});

}  // namespace clara
