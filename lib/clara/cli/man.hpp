// Man pages made from the flags the tool really has.
#pragma once
#include <string>

#include "clara/cli/app.hpp"

namespace clara {

/// roff (man 7 man) for man/NAME.1.
std::string man_page(const CLI::App& app, const ToolDoc& doc);

/// Text made safe for roff: backslashes, leading dots and quotes, hyphens of flags.
std::string roff_escape(const std::string& text);

}  // namespace clara
