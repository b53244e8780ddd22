#include <fmt/format.h>

#include <functional>

#include "clara/spec/schema.hpp"

namespace clara {
namespace {

std::string plural(Type type) {
    std::string name = to_string(type);
    if (type == Type::text || type == Type::block) return name;
    return name + (name.back() == 's' ? "es" : "s");
}

/// "list of sections, required" or "size, default 1G".
std::string kind_of(const Key& key) {
    std::string kind = to_string(key.type);
    if (key.type == Type::list || key.type == Type::map) kind += " of " + plural(key.children.at(0).type);
    if (!key.choices.empty()) kind = fmt::format("{}", fmt::join(key.choices, " or "));
    if (key.required) kind += ", required";
    if (!key.fallback.empty()) kind += ", default " + key.fallback;
    return kind;
}

/// Calls `show` for each key in the order of the table with its dotted name; "[]" marks entries of a list.
void walk(const std::vector<Key>& keys, const std::string& prefix,
          const std::function<void(const std::string&, const Key&)>& show) {
    for (const auto& key : keys) {
        std::string name = prefix + key.name;
        show(name, key);
        if (key.type == Type::section) walk(key.children, name + ".", show);
        if (key.type == Type::list || key.type == Type::map) {
            const Key& element = key.children.at(0);
            if (element.type == Type::section)
                walk(element.children, name + (key.type == Type::list ? "[]." : ".NAME."), show);
        }
    }
}

/// Text as roff takes it literally (groff(7): escapes; a dot or quote at the start of a line is a request).
std::string roff(const std::string& text) {
    std::string out;
    for (char c : text) {
        if (c == '\\')
            out += "\\e";
        else if (c == '-')
            out += "\\-";
        else if ((c == '.' || c == '\'') && out.empty())
            out += std::string("\\&") + c;
        else
            out += c;
    }
    return out;
}

}  // namespace

std::string explain(const std::vector<Key>& keys) {
    std::string out;
    walk(keys, "", [&](const std::string& name, const Key& key) {
        out += fmt::format("{} ({})\n    {}\n", name, kind_of(key), key.doc);
        if (!key.example.empty()) out += fmt::format("    e.g. {}\n", key.example);
    });
    return out;
}

std::string explain_roff(const std::vector<Key>& keys) {
    std::string out;
    walk(keys, "", [&](const std::string& name, const Key& key) {
        out +=
            fmt::format(".TP\n\\fB{}\\fR (\\fI{}\\fR)\n{}\n", roff(name), roff(kind_of(key)), roff(key.doc));
        if (!key.example.empty()) out += fmt::format(".br\ne.g. \\fB{}\\fR\n", roff(key.example));
    });
    return out;
}

}  // namespace clara
