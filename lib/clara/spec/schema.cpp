#include "clara/spec/schema.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>

#include "clara/spec/codec.hpp"
#include "clara/spec/names.hpp"

namespace clara {
namespace {

struct Wording {
    Type type;
    const char* name;    ///< as --explain tells it
    const char* wanted;  ///< "expected ..."
};
constexpr Wording wordings[] = {
    {Type::text, "text", "text"},
    {Type::block, "text", "text"},
    {Type::choice, "word", "a word"},
    {Type::boolean, "true or false", "true or false"},
    {Type::integer, "whole number", "a whole number"},
    {Type::number, "number", "a number"},
    {Type::size, "size", "a size such as 64M or 1GiB"},
    {Type::duration, "duration", "a duration such as 250ms, 5s or 1d, at most 1000h"},
    {Type::seconds, "duration", "a duration of whole seconds such as 5s or 2m"},
    {Type::address, "address", "an IPv4 address such as 10.87.0.11"},
    {Type::subnet, "subnet", "a subnet such as 10.87.0.0/24"},
    {Type::mac, "MAC", "a MAC such as 02:c1:a7:00:00:01"},
    {Type::mode, "octal mode", "an octal mode such as 0644"},
    {Type::path, "path", "an absolute path without '..'"},
    {Type::host_path, "host path", "a path on the host"},
    {Type::ssh_key, "ssh key", "an ssh public key or the path of a file of them"},
    {Type::list, "list", "a list"},
    {Type::map, "map", "a map of names to values"},
    {Type::section, "section", "a section of keys"},
};

const Wording& wording(Type type) {
    return *std::find_if(std::begin(wordings), std::end(wordings),
                         [&](const Wording& w) { return w.type == type; });
}

std::string quoted(const std::string& text) {
    std::string shown;
    for (char c : text.substr(0, 60)) shown += static_cast<unsigned char>(c) < ' ' || c == 127 ? '?' : c;
    return "'" + shown + (text.size() > 60 ? "...'" : "'");
}

bool control(char c) {
    return (static_cast<unsigned char>(c) < ' ' && c != '\t') || c == 127;
}

/// What is wrong with a scalar, empty where nothing is. Values end up in lines of other programs' files, so
/// only Type::block may contain a line break.
std::string scalar_problem(const std::string& text, const Key& key) {
    if (key.type != Type::block && std::any_of(text.begin(), text.end(), control))
        return "control characters and line breaks are not allowed here";
    if (!scalar_fits(text, key.type))
        return fmt::format("expected {}, not {}", wording(key.type).wanted, quoted(text));
    if (key.type == Type::integer || key.type == Type::number) {
        double value = std::stod(text);
        if (value < static_cast<double>(key.min) || value > static_cast<double>(key.max))
            return fmt::format("expected {} to {}, not {}", key.min, key.max, text);
    }
    if (!key.choices.empty() &&
        std::find(key.choices.begin(), key.choices.end(), text) == key.choices.end()) {
        auto near = nearest(text, key.choices);
        return fmt::format("expected {}, not {}{}", fmt::join(key.choices, " or "), quoted(text),
                           near.empty() ? "" : "; did you mean '" + near + "'?");
    }
    return key.check ? key.check(text) : "";
}

class Validator {
  public:
    explicit Validator(Problems& problems) : problems_(problems) {}

    void value(const Yaml& node, const Key& key, const std::string& path) {
        if (node.broken || node.null()) return;
        auto tell = [&](const std::string& what) {
            problems_.add(node.place, path.empty() ? what : path + ": " + what);
        };
        auto wanted = key.type == Type::list                               ? Yaml::Kind::list
                      : key.type == Type::map || key.type == Type::section ? Yaml::Kind::map
                                                                           : Yaml::Kind::scalar;
        if (node.kind != wanted) {
            const char* got = node.kind == Yaml::Kind::list  ? "a list"
                              : node.kind == Yaml::Kind::map ? "a map"
                                                             : "";
            tell(
                fmt::format("expected {}, not {}", wording(key.type).wanted, *got ? got : quoted(node.text)));
        } else if (key.type == Type::list) {
            list(node, key, path);
        } else if (key.type == Type::map) {
            map(node, key, path);
        } else if (key.type == Type::section) {
            section(node, key, path);
        } else if (auto what = scalar_problem(node.text, key); !what.empty()) {
            tell(what);
        }
    }

  private:
    static std::string below(const std::string& path, const std::string& name) {
        return path.empty() ? name : path + "." + name;
    }

    void list(const Yaml& node, const Key& key, const std::string& path) {
        for (const auto& item : node.items) {
            if (item.null()) problems_.add(item.place, path + ": an entry is empty");
            value(item, key.children[0], path);
        }
    }

    void map(const Yaml& node, const Key& key, const std::string& path) {
        for (std::size_t i = 0; i < node.items.size(); ++i) {
            const auto& name = node.names[i];
            std::string what;
            if (std::any_of(name.text.begin(), name.text.end(), control))
                what = "control characters are not allowed here";
            else if (key.check)
                what = key.check(name.text);
            if (!what.empty()) problems_.add(name.place, path + ": " + what);
            value(node.items[i], key.children[0], below(path, name.text));
        }
    }

    void section(const Yaml& node, const Key& key, const std::string& path) {
        for (std::size_t i = 0; i < node.items.size(); ++i) {
            auto known = std::find_if(key.children.begin(), key.children.end(),
                                      [&](const Key& child) { return child.name == node.names[i].text; });
            if (known == key.children.end())
                unknown(node.names[i], key, path);
            else
                value(node.items[i], *known, below(path, known->name));
        }
        for (const auto& child : key.children)
            if (child.required && !node.find(child.name))
                problems_.add(node.place,
                              fmt::format("missing key '{}': {}", below(path, child.name), child.doc));
    }

    void unknown(const Yaml::Name& name, const Key& key, const std::string& path) {
        std::vector<std::string> siblings;
        std::string near;
        for (const auto& child : key.children) {
            siblings.push_back(child.name);
            // The right word one level too high: "memory" for "limits.memory".
            for (const auto& inner : child.children)
                if (child.type == Type::section && inner.name == name.text)
                    near = below(below(path, child.name), inner.name);
        }
        if (auto sibling = nearest(name.text, siblings); !sibling.empty()) near = below(path, sibling);
        std::string hint = near.empty() ? fmt::format(" (known here: {})", fmt::join(siblings, ", "))
                                        : fmt::format("; did you mean '{}'?", near);
        problems_.add(name.place, fmt::format("unknown key '{}'{}", below(path, name.text), hint));
    }

    Problems& problems_;
};

}  // namespace

const char* to_string(Type type) {
    return wording(type).name;
}

void validate(const Yaml& tree, const Key& key, Problems& problems) {
    if (tree.null() && key.type == Type::section) {
        Yaml empty = tree;
        empty.kind = Yaml::Kind::map;
        Validator(problems).value(empty, key, "");
        return;
    }
    Validator(problems).value(tree, key, "");
}

}  // namespace clara
