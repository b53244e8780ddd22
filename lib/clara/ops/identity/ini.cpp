#include "clara/ops/identity/ini.hpp"

#include <algorithm>

#include "clara/ops/identity/text.hpp"

namespace clara::identity {

Ini::Ini(const std::string& text) : sections_(1) {
    for (const auto& line : lines_of(text)) {
        const std::string bare = trimmed(line);
        if (bare.size() > 2 && bare.front() == '[' && bare.back() == ']')
            sections_.push_back({bare.substr(1, bare.size() - 2), {}});
        else
            sections_.back().lines.push_back(line);
    }
}

std::string Ini::key_of(const std::string& line) {
    const std::string bare = trimmed(line);
    if (bare.empty() || bare[0] == '#' || bare[0] == ';') return {};
    const auto equals = bare.find('=');
    return equals == std::string::npos ? std::string() : trimmed(bare.substr(0, equals));
}

std::string Ini::get(const std::string& section, const std::string& key) const {
    for (const auto& s : sections_) {
        if (s.name != section) continue;
        for (const auto& line : s.lines)
            if (key_of(line) == key) return trimmed(line.substr(line.find('=') + 1));
    }
    return {};
}

bool Ini::has_section(const std::string& section) const {
    return std::any_of(sections_.begin(), sections_.end(),
                       [&](const Section& s) { return s.name == section; });
}

Ini::Section* Ini::find(const std::string& name) {
    auto found =
        std::find_if(sections_.begin(), sections_.end(), [&](const Section& s) { return s.name == name; });
    return found == sections_.end() ? nullptr : &*found;
}

void Ini::set(const std::string& section, const std::string& key, const std::string& value) {
    erase(section, key);
    add(section, key, value);
}

void Ini::add(const std::string& section, const std::string& key, const std::string& value) {
    Section* s = find(section);
    if (!s) {
        auto& last = sections_.back().lines;
        if (sections_.size() > 1 && (last.empty() || !trimmed(last.back()).empty())) last.emplace_back();
        s = &sections_.emplace_back(Section{section, {}});
    }
    auto at = s->lines.end();  // before the blank lines that set off the next section
    while (at != s->lines.begin() && trimmed(*(at - 1)).empty()) --at;
    s->lines.insert(at, key + "=" + value);
}

void Ini::erase(const std::string& section, const std::function<bool(const std::string&)>& key_is) {
    for (auto& s : sections_)
        if (s.name == section)
            std::erase_if(s.lines, [&](const std::string& line) {
                const std::string key = key_of(line);
                return !key.empty() && key_is(key);
            });
}

void Ini::erase(const std::string& section, const std::string& key) {
    erase(section, [&](const std::string& k) { return k == key; });
}

void Ini::erase_sections(const std::string& section,
                         const std::function<bool(const std::vector<std::string>&)>& holds) {
    std::erase_if(sections_, [&](const Section& s) { return s.name == section && holds(s.lines); });
}

std::string Ini::text() const {
    std::vector<std::string> lines;
    for (const auto& s : sections_) {
        if (!s.name.empty()) lines.push_back("[" + s.name + "]");
        lines.insert(lines.end(), s.lines.begin(), s.lines.end());
    }
    return join_lines(lines);
}

}  // namespace clara::identity
