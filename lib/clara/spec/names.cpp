#include "clara/spec/names.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <charconv>

#include "clara/base/error.hpp"

namespace clara {

std::string name_problem(const std::string& name) {
    auto lower = [](char c) { return c >= 'a' && c <= 'z'; };
    auto digit = [](char c) { return c >= '0' && c <= '9'; };
    if (name.empty()) return "a name may not be empty";
    if (name.size() > 63) return fmt::format("a name has at most 63 characters, not {}", name.size());
    for (char c : name)
        if (!lower(c) && !digit(c) && c != '-') {
            if (c > ' ' && c < 127) return fmt::format("a name consists of a-z, 0-9 and '-', not '{}'", c);
            return fmt::format("a name consists of a-z, 0-9 and '-', not of byte 0x{:02x}",
                               static_cast<unsigned char>(c));
        }
    if (!lower(name.front())) return "a name begins with a letter";
    if (name.back() == '-') return "a name may not end with '-'";
    return {};
}

namespace {

constexpr std::size_t max_names = 10000;

[[noreturn]] void malformed(const std::string& text, const std::string& why) {
    throw Error(ErrorKind::usage, fmt::format("malformed range '{}': {}", text, why),
                "write it as bpm[01-20]");
}

unsigned long bound(const std::string& text, const std::string& digits) {
    unsigned long value = 0;
    auto [end, error] = std::from_chars(digits.data(), digits.data() + digits.size(), value);
    if (digits.empty() || digits.size() > 9 || error != std::errc{} || end != digits.data() + digits.size())
        malformed(text, "'" + digits + "' is not a number");
    return value;
}

}  // namespace

std::vector<std::string> expand_range(const std::string& text) {
    std::vector<std::string> names{""};
    auto append = [&](const std::vector<std::string>& parts) {
        if (names.size() * parts.size() > max_names)
            malformed(text, fmt::format("more than {} names", max_names));
        std::vector<std::string> longer;
        for (const auto& name : names)
            for (const auto& part : parts) longer.push_back(name + part);
        names = std::move(longer);
    };
    for (std::size_t at = 0; at < text.size();) {
        auto open = text.find_first_of("[]", at);
        append({text.substr(at, open - at)});
        if (open == std::string::npos) break;
        if (text[open] == ']') malformed(text, "']' without '['");
        auto close = text.find(']', open);
        if (close == std::string::npos) malformed(text, "'[' without ']'");
        std::string inner = text.substr(open + 1, close - open - 1);
        auto dash = inner.find('-');
        if (dash == std::string::npos) malformed(text, "'-' is missing between the brackets");
        std::string first = inner.substr(0, dash);
        auto low = bound(text, first), high = bound(text, inner.substr(dash + 1));
        if (high < low) malformed(text, "its end is below its beginning");
        if (high - low >= max_names) malformed(text, fmt::format("more than {} names", max_names));
        std::vector<std::string> numbers;
        for (auto n = low; n <= high; ++n) numbers.push_back(fmt::format("{:0{}}", n, first.size()));
        append(numbers);
        at = close + 1;
    }
    return names;
}

namespace {

/// Edit distance in which a swap of neighbours counts once ("optimal string alignment").
std::size_t distance(const std::string& a, const std::string& b) {
    std::vector<std::size_t> before(b.size() + 1), last(b.size() + 1), now(b.size() + 1);
    for (std::size_t j = 0; j <= b.size(); ++j) last[j] = j;
    for (std::size_t i = 1; i <= a.size(); ++i) {
        now[0] = i;
        for (std::size_t j = 1; j <= b.size(); ++j) {
            now[j] = std::min({last[j] + 1, now[j - 1] + 1, last[j - 1] + (a[i - 1] != b[j - 1])});
            if (i > 1 && j > 1 && a[i - 1] == b[j - 2] && a[i - 2] == b[j - 1])
                now[j] = std::min(now[j], before[j - 2] + 1);
        }
        std::swap(before, last);
        std::swap(last, now);
    }
    return last[b.size()];
}

}  // namespace

std::string nearest(const std::string& word, const std::vector<std::string>& candidates) {
    if (word.size() > 64) return {};
    std::string best;
    std::size_t best_distance = std::min<std::size_t>(2, word.size() / 2) + 1;
    for (const auto& candidate : candidates) {
        if (auto d = distance(word, candidate); d < best_distance) {
            best = candidate;
            best_distance = d;
        }
    }
    return best;
}

}  // namespace clara
