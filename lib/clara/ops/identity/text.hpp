// Small things that editing configuration needs.
#pragma once
#include <string>
#include <vector>

namespace clara::identity {

std::vector<std::string> lines_of(const std::string& text);
std::string join_lines(const std::vector<std::string>& lines);
std::vector<std::string> words_of(const std::string& line);
std::string trimmed(const std::string& text);
/// Without the quotes around it.
std::string unquoted(const std::string& text);
/// "10.1.2.3/24" -> "10.1.2.3"
std::string without_prefix(const std::string& address);

}  // namespace clara::identity
