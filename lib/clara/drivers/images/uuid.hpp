#pragma once
#include <string>

namespace clara {

/// A UUID made of the text alone, so that the same tree gives the same bytes: e.g. "clara image minimal".
std::string uuid_for(const std::string& text);

}  // namespace clara
