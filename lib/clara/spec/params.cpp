#include "clara/spec/params.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <cctype>

#include "clara/spec/checks.hpp"
#include "clara/spec/codec.hpp"
#include "clara/spec/names.hpp"

namespace clara {
namespace {

/// `set` of one entry, as it is told in errors: "--set db", or where the fleet file says so.
Place place_of_set(const Place& where, const std::string& key) {
    YamlSource source = *where.source;
    source.file = source.file.empty() ? "--set " + key : source.file + ": set " + key;
    return {std::make_shared<const YamlSource>(source)};
}

std::string did_you_mean(const std::string& word, const std::vector<std::string>& known) {
    auto near = nearest(word, known);
    if (!near.empty()) return fmt::format("; did you mean '{}'?", near);
    return known.empty() ? "" : fmt::format(" (known: {})", fmt::join(known, ", "));
}

void substitute_text(Yaml& node, const Parameters& parameters, Problems& problems) {
    const std::string text = node.text;
    std::string out;
    for (std::size_t at = 0; at < text.size();) {
        auto dollar = text.find("${", at);
        out += text.substr(at, dollar - at);
        if (dollar == std::string::npos) break;
        if (dollar > at && text[dollar - 1] == '$') {  // "$${" stands for "${"
            out += "{";
            at = dollar + 2;
            continue;
        }
        auto close = text.find('}', dollar);
        std::string name = text.substr(dollar + 2, close - dollar - 2);
        auto known = parameters.find(name);
        if (close == std::string::npos || known == parameters.end()) {
            std::vector<std::string> names;
            for (const auto& [one, value] : parameters) names.push_back(one);
            problems.add(node.place,
                         close == std::string::npos
                             ? "'${' without '}' (write $${ for a plain ${)"
                             : fmt::format("unknown parameter '${{{}}}'{}", name, did_you_mean(name, names)));
            node.broken = true;
            return;
        }
        const Yaml& value = known->second;
        node.broken = node.broken || value.broken;
        out += value.text;
        if (dollar == 0 && close + 1 == text.size()) {
            node.place = value.place;  // the value as a whole was written there
        } else if (dollar == 0 && value.place.source && node.place.source) {
            node.place.source = std::make_shared<const YamlSource>(
                YamlSource{node.place.source->file, value.place.source->folder});
        }
        at = close + 1;
    }
    node.text = out;
}

/// Dotted names of all keys, for suggestions.
void collect(const std::vector<Key>& keys, const std::string& prefix, std::vector<std::string>& names) {
    for (const auto& key : keys) {
        names.push_back(prefix + key.name);
        if (key.type == Type::section) collect(key.children, prefix + key.name + ".", names);
    }
}

/// The value of a key as --set gives it: plain text, "a,b" or "[a, b]" for a list, "{a: b}" for a section.
Yaml value_of_set(const std::string& text, const Key& key, const Place& place, Problems& problems) {
    Yaml value = Yaml::scalar(text);
    bool flow = !text.empty() && text.front() == (key.type == Type::list ? '[' : '{');
    if (key.type == Type::list && !flow) {
        value = {};
        value.kind = Yaml::Kind::list;
        for (std::size_t at = 0; at <= text.size() && !text.empty();) {
            auto comma = std::min(text.find(',', at), text.size());
            value.items.push_back(Yaml::scalar(text.substr(at, comma - at)));
            value.items.back().place = place;
            at = comma + 1;
        }
    } else if (flow && (key.type == Type::list || key.type == Type::map || key.type == Type::section)) {
        value = load_yaml(text, *place.source, problems);
    }
    value.place = place;
    return value;
}

void set_key(Yaml& tree, const Key& root, const std::string& dotted, const std::string& text,
             const Place& place, std::vector<std::string> known, Problems& problems) {
    const Key* key = &root;
    Yaml* node = &tree;
    for (std::size_t at = 0; at < dotted.size();) {
        auto dot = key->type == Type::map ? dotted.size() : std::min(dotted.find('.', at), dotted.size());
        std::string part = dotted.substr(at, dot - at);
        auto child = std::find_if(key->children.begin(), key->children.end(),
                                  [&](const Key& one) { return key->type == Type::map || one.name == part; });
        bool inner = key->type == Type::section || key->type == Type::map;
        if (!inner || child == key->children.end() || child->name == "parameters") {
            collect(root.children, "", known);
            if (nearest(dotted, known).empty()) known.resize(std::min<std::size_t>(known.size(), 12));
            return problems.add(place, fmt::format("no parameter or key of the template is called '{}'{}",
                                                   dotted, did_you_mean(dotted, known)));
        }
        key = &*child;
        node = &node->at_key(part);
        at = dot + 1;
    }
    *node = value_of_set(text, *key, place, problems);
}

}  // namespace

const Key& parameters_key() {
    static const Key key{
        .name = "parameters",
        .type = Type::map,
        .doc = "What --set may give to this template, and ${NAME-OF-PARAMETER} takes into any value of it.",
        .example = "{db: {doc: Database file, default: demo.db}}",
        .check = parameter_problem,
        .children = {
            {.type = Type::section,
             .children = {
                 {.name = "doc", .doc = "What it is for.", .required = true},
                 {.name = "default", .doc = "Its value where --set does not name it.", .example = "demo.db"},
                 {.name = "required",
                  .type = Type::boolean,
                  .doc = "--set must name it.",
                  .fallback = "false"}}}}};
    return key;
}

void substitute(Yaml& node, const Parameters& parameters, Problems& problems) {
    if (node.kind == Yaml::Kind::scalar) substitute_text(node, parameters, problems);
    for (auto& item : node.items) substitute(item, parameters, problems);
}

Parameters read_parameters(Yaml& tree, const Key& keys, const std::string& name,
                           const std::vector<std::pair<std::string, std::string>>& set, const Place& where,
                           Problems& problems) {
    Parameters builtin, values;
    std::string upper = name;
    for (char& c : upper) c = static_cast<char>(std::toupper(static_cast<unsigned char>(c)));
    builtin["name"] = Yaml::scalar(name);
    builtin["NAME"] = Yaml::scalar(upper);
    std::map<std::string, std::string> missing;  // required ones, with what they are for
    std::vector<std::string> declared;
    if (const Yaml* section = tree.find("parameters"); section && section->kind == Yaml::Kind::map) {
        for (std::size_t i = 0; i < section->items.size(); ++i) {
            const Yaml& parameter = section->items[i];
            const std::string& key = section->names[i].text;
            const Yaml *value = parameter.find("default"), *required = parameter.find("required");
            declared.push_back(key);
            values[key] = value ? *value : Yaml::scalar("");
            values[key].place = value ? value->place : section->names[i].place;
            const Yaml* doc = parameter.find("doc");
            if (required && scalar_true(*required)) missing[key] = doc ? doc->text : "";
        }
    }
    for (const auto& [key, text] : set) {
        Place place = place_of_set(where, key);
        if (values.count(key)) {
            values[key] = Yaml::scalar(text);
            values[key].place = place;
            missing.erase(key);
        } else if (tree.kind == Yaml::Kind::map) {
            set_key(tree, keys, key, text, place, declared, problems);
        }
    }
    for (auto& [key, value] : values) substitute(value, builtin, problems);
    for (const auto& [key, doc] : missing) {
        problems.add(where, fmt::format("the template needs --set {}=... ({})", key, doc));
        values[key].broken = true;
    }
    values.merge(builtin);
    return values;
}

}  // namespace clara
