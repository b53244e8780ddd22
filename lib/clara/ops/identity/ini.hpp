// Files of sections and keys as systemd and NetworkManager have them; comments and order survive.
#pragma once
#include <functional>
#include <string>
#include <vector>

namespace clara::identity {

class Ini {
  public:
    explicit Ini(const std::string& text);

    /// The first value of that key, empty where there is none. Sections of one name count as one.
    std::string get(const std::string& section, const std::string& key) const;
    bool has_section(const std::string& section) const;
    /// One value in place of all those there are; the section is made where it is missing.
    void set(const std::string& section, const std::string& key, const std::string& value);
    /// One more value, at the end of the (first) section.
    void add(const std::string& section, const std::string& key, const std::string& value);
    /// Removes the keys of the section for which it holds.
    void erase(const std::string& section, const std::function<bool(const std::string&)>& key_is);
    void erase(const std::string& section, const std::string& key);
    /// Removes whole sections; the test sees key=value lines.
    void erase_sections(const std::string& section,
                        const std::function<bool(const std::vector<std::string>&)>& holds);
    std::string text() const;

  private:
    struct Section {
        std::string name;                ///< empty: what stands before the first one
        std::vector<std::string> lines;  ///< without the header
    };
    static std::string key_of(const std::string& line);
    Section* find(const std::string& name);

    std::vector<Section> sections_;
};

}  // namespace clara::identity
