// A result as JSON on stdout: one object, indented. What is no UTF-8 is replaced, as names on a disk may be
// anything.
#pragma once
#include <fmt/format.h>

#include <nlohmann/json.hpp>

namespace clara {

using Json = nlohmann::ordered_json;

inline void print_json(const Json& json) {
    fmt::print("{}\n", json.dump(2, ' ', false, Json::error_handler_t::replace));
}

}  // namespace clara
