#pragma once
#include <string>
#include <string_view>

namespace clara {

/// SHA-256 as 64 hex digits: of a file from its beginning, of a text.
std::string sha256_file(int fd);
std::string sha256_text(std::string_view text);

}  // namespace clara
