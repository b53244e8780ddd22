#include <fmt/format.h>
#include <yaml-cpp/emitter.h>

#include <algorithm>
#include <map>
#include <tuple>

#include "clara/base/error.hpp"
#include "clara/spec/yaml.hpp"

namespace clara {

std::string Place::str() const {
    std::string file = source ? source->file : "";
    return line == 0 ? file : fmt::format("{}:{}:{}", file, line, column);
}

void Problems::add(const Place& place, std::string message) {
    problems_.emplace_back(place, std::move(message));
}

void Problems::check() const {
    if (problems_.empty()) return;
    std::map<const YamlSource*, std::size_t> order;  // files in the order in which they were read
    for (const auto& [place, message] : problems_) order.emplace(place.source.get(), order.size());
    auto key = [&](const auto& problem) {
        const Place& place = problem.first;
        return std::tuple(order.at(place.source.get()), place.line, place.column);
    };
    auto sorted = problems_;
    std::stable_sort(sorted.begin(), sorted.end(),
                     [&](const auto& a, const auto& b) { return key(a) < key(b); });
    constexpr std::size_t shown = 100;  // nobody reads more, and a hostile file could make a million
    std::string text;
    for (std::size_t i = 0; i < std::min(sorted.size(), shown); ++i) {
        std::string where = sorted[i].first.str();
        text += (i ? "\n" : "") + (where.empty() ? "" : where + ": ") + sorted[i].second;
    }
    if (sorted.size() > shown) text += fmt::format("\nand {} more problems", sorted.size() - shown);
    throw Error(ErrorKind::usage, text);
}

const Yaml* Yaml::find(std::string_view key) const {
    for (std::size_t i = 0; i < names.size(); ++i)
        if (names[i].text == key) return items[i].null() ? nullptr : &items[i];
    return nullptr;
}

Yaml& Yaml::at_key(const std::string& key) {
    if (kind != Kind::map) {
        kind = Kind::map;
        text.clear();
        items.clear();
    }
    for (std::size_t i = 0; i < names.size(); ++i)
        if (names[i].text == key) return items[i];
    names.push_back({key, place});
    items.emplace_back().place = place;
    return items.back();
}

Yaml Yaml::scalar(std::string text) {
    Yaml result;
    result.kind = Kind::scalar;
    result.text = std::move(text);
    return result;
}

bool Yaml::operator==(const Yaml& other) const {
    auto same_name = [](const Name& a, const Name& b) { return a.text == b.text; };
    return kind == other.kind && text == other.text && items == other.items &&
           std::equal(names.begin(), names.end(), other.names.begin(), other.names.end(), same_name);
}

namespace {

void emit(YAML::Emitter& out, const Yaml& node) {
    switch (node.kind) {
        case Yaml::Kind::null:
            out << YAML::Null;
            break;
        case Yaml::Kind::scalar:
            out << node.text;
            break;
        case Yaml::Kind::list:
            out << YAML::BeginSeq;
            for (const auto& item : node.items) emit(out, item);
            out << YAML::EndSeq;
            break;
        case Yaml::Kind::map:
            out << YAML::BeginMap;
            for (std::size_t i = 0; i < node.items.size(); ++i) {
                out << YAML::Key << node.names[i].text << YAML::Value;
                emit(out, node.items[i]);
            }
            out << YAML::EndMap;
            break;
    }
}

}  // namespace

std::string emit_yaml(const Yaml& tree) {
    YAML::Emitter out;
    emit(out, tree);
    if (!out.good()) throw Error(ErrorKind::failed, "cannot write YAML: " + out.GetLastError());
    return std::string(out.c_str(), out.size()) + "\n";
}

}  // namespace clara
