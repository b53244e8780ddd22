// YAML text to a plain tree of values that know where they were written. Everything read is hostile until
// shown otherwise: size, depth and what aliases expand to are bounded.
#pragma once
#include <memory>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace clara {

/// Where a text came from. Relative paths in it count from `folder`.
struct YamlSource {
    std::string file;    ///< as shown in errors: a path, or e.g. "--set db"
    std::string folder;  ///< absolute
};

struct Place {
    std::shared_ptr<const YamlSource> source;
    int line = 0, column = 0;  ///< from 1; 0: the source as a whole
    std::string str() const;   ///< "iocs.yaml:12:5"
};

/// All problems of a run's input, so that they are told in one go.
class Problems {
  public:
    void add(const Place& place, std::string message);
    bool empty() const { return problems_.empty(); }
    /// Error{usage} with one "file:line:column: message" a line, in the order of the files.
    void check() const;

  private:
    std::vector<std::pair<Place, std::string>> problems_;
};

struct Yaml {
    enum class Kind { null, scalar, list, map } kind = Kind::null;
    struct Name {
        std::string text;
        Place place;
    };
    std::string text;         ///< scalar
    std::vector<Yaml> items;  ///< list, map
    std::vector<Name> names;  ///< map: the key of each item, in the order of the file
    Place place;
    bool broken = false;  ///< its problem has been told already

    bool null() const { return kind == Kind::null; }
    /// The value of a key of a map; nullptr where it is absent or null.
    const Yaml* find(std::string_view key) const;
    Yaml* find(std::string_view key) { return const_cast<Yaml*>(std::as_const(*this).find(key)); }
    /// Makes this a map and gives the value of `key`, new or there already.
    Yaml& at_key(const std::string& key);

    static Yaml scalar(std::string text);
    bool operator==(const Yaml& other) const;  ///< by content, wherever it was written
};

/// At most 1 MiB of UTF-8 in one document. What cannot be parsed throws Error{usage}; duplicate keys become
/// problems.
Yaml load_yaml(const std::string& text, const YamlSource& source, Problems& problems);
Yaml load_yaml_file(const std::string& file, Problems& problems);

/// The text of the tree; load_yaml() gives an equal tree back.
std::string emit_yaml(const Yaml& tree);

}  // namespace clara
