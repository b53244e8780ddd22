// Tables that bind keys to the members of a struct, so that reading, writing, validating and explaining all
// come from the same lines. A struct S takes part by `const Table<S>& table_of(const S*)`.
#pragma once
#include <functional>
#include <map>
#include <optional>
#include <string>
#include <type_traits>
#include <utility>
#include <vector>

#include "clara/spec/codec.hpp"

namespace clara {

template <class S>
struct Field {
    Key key;
    std::function<void(const Yaml&, S&)> read;
    std::function<Yaml(const S&)> write;  ///< null: nothing to tell
};
template <class S>
using Table = std::vector<Field<S>>;

template <class S>
std::vector<Key> keys_of(const Table<S>& table) {
    std::vector<Key> keys;
    for (const auto& field : table) keys.push_back(field.key);
    return keys;
}

/// Reads the keys that are there; members of absent keys keep their value.
template <class S>
void read_section(const Yaml& node, const Table<S>& table, S& value) {
    for (const auto& field : table)
        if (const Yaml* found = node.find(field.key.name)) field.read(*found, value);
}

/// Leaves out what is empty and would be empty without being told.
template <class S>
Yaml write_section(const S& value, const Table<S>& table) {
    static const S blank{};
    Yaml node;
    for (const auto& field : table) {
        Yaml item = field.write(value);
        bool empty = item.items.empty() && item.text.empty();
        if (item.null() || (empty && item == field.write(blank))) continue;
        node.at_key(field.key.name) = std::move(item);
    }
    return node;
}

namespace bind {

template <class V>
struct Codec {
    static constexpr bool scalar = !requires(const V* v) { table_of(v); };
    static void describe(Key& key) {
        if constexpr (!scalar) {
            key.type = Type::section;
            key.children = keys_of(table_of(static_cast<const V*>(nullptr)));
        }
    }
    static void read(const Yaml& node, Type type, V& value) {
        if constexpr (scalar)
            decode(node, type, value);
        else
            read_section(node, table_of(static_cast<const V*>(nullptr)), value);
    }
    static Yaml write(const V& value, Type type) {
        if constexpr (scalar) {
            return Yaml::scalar(encode(value, type));
        } else {
            if constexpr (requires { value.present(); })
                if (!value.present()) return {};
            return write_section(value, table_of(static_cast<const V*>(nullptr)));
        }
    }
};

template <class V>
struct Codec<std::optional<V>> {
    static void describe(Key& key) { Codec<V>::describe(key); }
    static void read(const Yaml& node, Type type, std::optional<V>& value) {
        Codec<V>::read(node, type, value.emplace());
    }
    static Yaml write(const std::optional<V>& value, Type type) {
        return value ? Codec<V>::write(*value, type) : Yaml{};
    }
};

/// The key as written in the table describes one value; here it becomes the key of many.
template <class V>
void describe_many(Key& key, Type container) {
    Key element{.type = key.type, .choices = key.choices, .min = key.min, .max = key.max};
    if (container == Type::list) element.check = std::exchange(key.check, nullptr);
    Codec<V>::describe(element);
    key.type = container;
    key.children = {element};
}

template <class V>
struct Codec<std::vector<V>> {
    static void describe(Key& key) { describe_many<V>(key, Type::list); }
    static void read(const Yaml& node, Type type, std::vector<V>& values) {
        values.clear();
        for (const auto& item : node.items) Codec<V>::read(item, type, values.emplace_back());
    }
    static Yaml write(const std::vector<V>& values, Type type) {
        Yaml node;
        node.kind = Yaml::Kind::list;
        for (const auto& value : values) node.items.push_back(Codec<V>::write(value, type));
        return node;
    }
};

template <class V>
struct Codec<std::map<std::string, V>> {
    static void describe(Key& key) { describe_many<V>(key, Type::map); }
    static void read(const Yaml& node, Type type, std::map<std::string, V>& values) {
        values.clear();
        for (std::size_t i = 0; i < node.items.size(); ++i)
            Codec<V>::read(node.items[i], type, values[node.names[i].text]);
    }
    static Yaml write(const std::map<std::string, V>& values, Type type) {
        Yaml node;
        node.kind = Yaml::Kind::map;
        for (const auto& [name, value] : values) node.at_key(name) = Codec<V>::write(value, type);
        return node;
    }
};

}  // namespace bind

/// A key bound to a member; for a list or a map `key.type` is the type of its values.
template <class S, class V>
Field<S> field(V S::*member, Key key) {
    Type type = key.type;
    bind::Codec<V>::describe(key);
    return {std::move(key),
            [member, type](const Yaml& node, S& s) { bind::Codec<V>::read(node, type, s.*member); },
            [member, type](const S& s) { return bind::Codec<V>::write(s.*member, type); }};
}

/// A section of keys that are bound to the very same struct.
template <class S>
Field<S> group(Key key, Table<S> table) {
    key.type = Type::section;
    key.children = keys_of(table);
    return {std::move(key), [table](const Yaml& node, S& s) { read_section(node, table, s); },
            [table](const S& s) { return write_section(s, table); }};
}

}  // namespace clara
