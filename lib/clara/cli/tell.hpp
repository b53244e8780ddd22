// Errors on stderr: lines for people, one `clara.error/1` object a line for programs.
#pragma once
#include <string>

#include "clara/base/error.hpp"

namespace clara {

/// `who` is the tool's or the guest's name.
void tell(const std::string& who, ErrorKind kind, const std::string& message, const std::string& hint,
          bool json);

}  // namespace clara
