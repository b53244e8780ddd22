#pragma once
#include <string>

namespace clara {

/// Where the sources lie. Compiled in one file alone: all others are the same in every clone, so that ccache
/// knows them.
std::string source_dir();

}  // namespace clara
