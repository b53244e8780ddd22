// One table of keys says what a YAML file may contain. The same table validates the file, is printed by
// --explain and becomes a section of the man page.
#pragma once
#include <string>
#include <vector>

#include "clara/spec/yaml.hpp"

namespace clara {

enum class Type {
    text,     ///< one line
    block,    ///< any text, several lines too
    choice,   ///< one of Key::choices
    boolean,  ///< true, false (yes, no, on, off)
    integer,
    number,
    size,       ///< 64M, 1GiB
    duration,   ///< 5s, 250ms
    seconds,    ///< a duration of whole seconds
    address,    ///< 10.87.0.11
    subnet,     ///< 10.87.0.0/24
    mac,        ///< 02:c1:a7:00:00:01
    mode,       ///< octal, 0644
    path,       ///< absolute, inside the guest
    host_path,  ///< on the host; a relative one counts from the folder of its file
    ssh_key,    ///< a public key, or the host path of a file of them
    list,
    map,  ///< free names to values of one kind
    section,
};

const char* to_string(Type type);

struct Key {
    std::string name;
    Type type = Type::text;
    std::string doc;       ///< a sentence
    std::string example;   ///< as written in YAML, e.g. 64M
    std::string fallback;  ///< the default, e.g. "2s"; empty: none worth telling
    bool required = false;
    std::vector<std::string> choices;
    long min = 0, max = 2147483647;                            ///< integer, number
    std::string (*check)(const std::string& value) = nullptr;  ///< a scalar, or each name of a map: what is
                                                               ///< wrong with it, empty where nothing is
    std::vector<Key> children;  ///< section: its keys; list and map: the one kind of value
};

/// Unknown, missing and wrongly typed: each becomes a problem with its place.
void validate(const Yaml& tree, const Key& key, Problems& problems);

/// Every key with type, default, meaning and example, as text for the terminal.
std::string explain(const std::vector<Key>& keys);
/// The same as a man page section (man 7 man), without its heading.
std::string explain_roff(const std::vector<Key>& keys);

}  // namespace clara
