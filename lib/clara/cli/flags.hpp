// The flags that tools share, made from one place.
#pragma once
#include "clara/cli/app.hpp"

namespace clara {

void add_common_flags(CLI::App& app, const Takes& takes, CommonFlags& flags);

/// What -V prints: everything a bug report needs.
std::string version_text(const char* tool);

/// For the shell's completion, one line an entry: "--flag", "--flag=TYPE", "=TYPE" (an argument) or a
/// subcommand.
std::string completion_text(const CLI::App& app);

}  // namespace clara
