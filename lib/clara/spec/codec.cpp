#include "clara/spec/codec.hpp"

#include <fmt/format.h>

#include <charconv>
#include <cmath>
#include <filesystem>

#include "clara/base/units.hpp"

namespace clara {
namespace {

template <class T, class... Base>
std::optional<T> parse(const std::string& text, Base... base) {
    T value{};
    auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), value, base...);
    if (error != std::errc{} || end != text.data() + text.size()) return std::nullopt;
    return value;
}

std::optional<bool> parse_bool(const std::string& text) {
    for (const char* yes : {"true", "yes", "on", "True", "Yes", "On", "TRUE", "YES", "ON"})
        if (text == yes) return true;
    for (const char* no : {"false", "no", "off", "False", "No", "Off", "FALSE", "NO", "OFF"})
        if (text == no) return false;
    return std::nullopt;
}

std::optional<unsigned> parse_mode(const std::string& text) {
    auto mode = parse<unsigned>(text, 8);
    return text.size() >= 3 && mode && *mode <= 07777 ? mode : std::nullopt;
}

bool whole_seconds(const std::string& text) {
    auto d = parse_duration(text);
    return d && d->count() % 1000 == 0;
}

bool absolute_path(const std::string& text) {
    if (text.empty() || text.front() != '/' || text.size() > 4095) return false;
    for (const auto& part : std::filesystem::path(text))
        if (part == "..") return false;
    return true;
}

}  // namespace

bool scalar_fits(const std::string& text, Type type) {
    switch (type) {
        case Type::text:
        case Type::block:
        case Type::choice:
            return true;
        case Type::boolean:
            return parse_bool(text).has_value();
        case Type::integer:
            return parse<int>(text).has_value();
        case Type::number: {
            auto value = parse<double>(text);
            return value && std::isfinite(*value);
        }
        case Type::size:
            return parse_size(text).has_value();
        case Type::duration:
            return parse_duration(text).has_value();
        case Type::seconds:
            return whole_seconds(text);
        case Type::address:
            return Ipv4::parse(text).has_value();
        case Type::subnet:
            return Subnet::parse(text).has_value();
        case Type::mac:
            return Mac::parse(text).has_value();
        case Type::mode:
            return parse_mode(text).has_value();
        case Type::path:
            return absolute_path(text);
        case Type::host_path:
        case Type::ssh_key:
            return !text.empty() && text.size() <= 16384;
        case Type::list:
        case Type::map:
        case Type::section:
            return false;
    }
    return false;
}

bool scalar_true(const Yaml& node) {
    return node.kind == Yaml::Kind::scalar && parse_bool(node.text).value_or(false);
}

bool is_ssh_key(const std::string& text) {
    // man sshd, AUTHORIZED_KEYS FILE FORMAT: options may stand before the type of the key.
    for (const char* type : {"ssh-", "ecdsa-", "sk-ssh-", "sk-ecdsa-"}) {
        auto at = text.rfind(type, 0) == 0 ? 0 : text.find(std::string(" ") + type);
        if (at != std::string::npos && text.find(' ', at + 1) != std::string::npos) return true;
    }
    return false;
}

std::string host_path(const Yaml& node) {
    std::filesystem::path path(node.text);
    if (path.is_relative() && node.place.source) path = node.place.source->folder / path;
    return path.lexically_normal().string();
}

void decode(const Yaml& node, Type type, std::string& value) {
    bool file = type == Type::host_path || (type == Type::ssh_key && !is_ssh_key(node.text));
    value = file ? host_path(node) : node.text;
}
void decode(const Yaml& node, Type, bool& value) {
    value = parse_bool(node.text).value();
}
void decode(const Yaml& node, Type type, int& value) {
    value = type == Type::seconds ? static_cast<int>(parse_duration(node.text).value().count() / 1000)
                                  : parse<int>(node.text).value();
}
void decode(const Yaml& node, Type type, unsigned& value) {
    value = type == Type::mode ? parse_mode(node.text).value() : parse<unsigned>(node.text).value();
}
void decode(const Yaml& node, Type, double& value) {
    value = parse<double>(node.text).value();
}
void decode(const Yaml& node, Type, std::uint64_t& value) {
    value = parse_size(node.text).value();
}
void decode(const Yaml& node, Type, std::chrono::milliseconds& value) {
    value = parse_duration(node.text).value();
}
void decode(const Yaml& node, Type, Ipv4& value) {
    value = Ipv4::parse(node.text).value();
}
void decode(const Yaml& node, Type, Subnet& value) {
    value = Subnet::parse(node.text).value();
}
void decode(const Yaml& node, Type, Mac& value) {
    value = Mac::parse(node.text).value();
}

std::string encode(const std::string& value, Type) {
    return value;
}
std::string encode(bool value, Type) {
    return value ? "true" : "false";
}
std::string encode(int value, Type type) {
    return fmt::format("{}{}", value, type == Type::seconds ? "s" : "");
}
std::string encode(unsigned value, Type type) {
    return type == Type::mode ? fmt::format("0{:03o}", value) : fmt::format("{}", value);
}
std::string encode(double value, Type) {
    return fmt::format("{}", value);
}
std::string encode(std::uint64_t value, Type) {
    std::size_t unit = 0;
    while (value != 0 && value % 1024 == 0 && unit < 4) value /= 1024, ++unit;
    return fmt::format("{}{}", value, unit == 0 ? "" : std::string(1, "KMGT"[unit - 1]));
}
std::string encode(std::chrono::milliseconds value, Type) {
    return duration_text(value);
}
std::string encode(Ipv4 value, Type) {
    return value.str();
}
std::string encode(Subnet value, Type) {
    return value.str();
}
std::string encode(Mac value, Type) {
    return value.str();
}

}  // namespace clara
