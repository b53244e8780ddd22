#include "clara/spec/keep.hpp"

#include <fmt/format.h>

#include <charconv>
#include <set>
#include <sstream>
#include <utility>

#include "clara/base/error.hpp"

namespace clara {
namespace {

constexpr unsigned most = 10000;  // points of one rule

/// The rules with their members, the finest first.
constexpr std::pair<const char*, unsigned Keep::*> rules[] = {
    {"last", &Keep::last},     {"hourly", &Keep::hourly},   {"daily", &Keep::daily},
    {"weekly", &Keep::weekly}, {"monthly", &Keep::monthly}, {"yearly", &Keep::yearly}};

}  // namespace

Keep parse_keep(const std::string& text) {
    Keep keep;
    const std::string known = "e.g. weekly=4,monthly=6; rules: last, hourly, daily, weekly, monthly, yearly";
    std::set<std::string> named;
    std::istringstream parts(text);
    for (std::string part; std::getline(parts, part, ',');) {
        const auto equals = part.find('=');
        unsigned Keep::*member = nullptr;
        for (const auto& [name, rule] : rules)
            if (part.substr(0, equals) == name) member = rule;
        if (!member || equals == std::string::npos)
            throw Error(ErrorKind::usage, "'" + part + "' is no rule of what is kept", known);
        const char* end = part.data() + part.size();
        unsigned count = 0;
        const auto parsed = std::from_chars(part.data() + equals + 1, end, count);
        if (parsed.ec != std::errc() || parsed.ptr != end || count > most)
            throw Error(ErrorKind::usage, fmt::format("'{}': how many, 0 to {}?", part, most), known);
        if (!named.insert(part.substr(0, equals)).second)
            throw Error(ErrorKind::usage, "'" + part.substr(0, equals) + "' is there twice", known);
        keep.*member = count;
    }
    if (keep.empty())
        throw Error(ErrorKind::usage, "a policy that keeps nothing would remove every restore point", known);
    return keep;
}

std::string keep_text(const Keep& keep) {
    std::string text;
    for (const auto& [name, member] : rules)
        if (keep.*member) text += fmt::format("{}{}={}", text.empty() ? "" : ",", name, keep.*member);
    return text;
}

}  // namespace clara
