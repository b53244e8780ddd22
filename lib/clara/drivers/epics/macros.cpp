#include "clara/drivers/epics/macros.hpp"

#include <string_view>

#include "clara/base/error.hpp"

namespace clara {
namespace {

constexpr int max_depth = 32;
constexpr std::size_t max_length = 64 << 10;
constexpr int max_references = 10000;  // a line's; values of nothing but others double with each level

class Expander {
  public:
    explicit Expander(std::map<std::string, std::string> values) : values_(std::move(values)) {}

    /// From `at` up to one of the terminators. Inside a reference (level > 0) quotes are taken off.
    std::string text(std::string_view raw, std::size_t& at, std::string_view terminators, int level) {
        if (level > max_depth) throw Error(ErrorKind::usage, "macros refer to each other without end");
        std::string out;
        char quote = 0;
        for (; at < raw.size() && (quote || terminators.find(raw[at]) == std::string_view::npos); ++at) {
            char c = raw[at];
            bool quotes = quote ? c == quote : c == '"' || c == '\'';
            if (quotes) quote = quote ? 0 : c;
            if (quotes && level > 0) continue;
            char next = at + 1 < raw.size() ? raw[at + 1] : '\0';
            if (c == '$' && (next == '(' || next == '{') && quote != '\'') {
                out += reference(raw, at, level);
            } else if (c == '\\' && next != '\0') {  // an escaped character is copied as it is
                if (level == 0) out += c;
                out += next;
                ++at;
            } else {
                out += c;
            }
            if (out.size() > max_length) throw Error(ErrorKind::usage, "macros make a line beyond 64 KiB");
        }
        return out;
    }

  private:
    /// `at` is on the $; left on the closing bracket.
    std::string reference(std::string_view raw, std::size_t& at, int level) {
        if (++references_ > max_references)
            throw Error(ErrorKind::usage, "macros refer to each other too often");
        const char close = raw[at + 1] == '(' ? ')' : '}';
        const std::string after_value = std::string(",") + close;
        at += 2;
        std::string name = text(raw, at, "=" + after_value, level + 1);
        std::string fallback;
        bool has_fallback = at < raw.size() && raw[at] == '=';
        if (has_fallback) fallback = text(raw, ++at, after_value, level + 1);
        auto outer = values_;
        while (at < raw.size() && raw[at] == ',') {  // values for this reference only
            std::string key = text(raw, ++at, "=" + after_value, level + 1);
            if (at < raw.size() && raw[at] == '=') values_[key] = text(raw, ++at, after_value, level + 1);
        }
        std::string out;
        if (auto it = values_.find(name); it != values_.end()) {
            std::string value = it->second;  // a copy: nested references replace values_
            std::size_t begin = 0;
            out = text(value, begin, "", level + 1);
        } else {
            out = has_fallback ? fallback : undefined_macro + name + undefined_macro;
        }
        values_ = std::move(outer);
        return out;
    }

    std::map<std::string, std::string> values_;
    int references_ = 0;
};

}  // namespace

std::string expand_macros(const std::string& line, const std::map<std::string, std::string>& values) {
    if (line.find('$') == std::string::npos) return line;
    std::size_t at = 0;
    return Expander(values).text(line, at, "", 0);
}

}  // namespace clara
