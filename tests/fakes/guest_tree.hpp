// A guest's files in memory.
#pragma once
#include <map>
#include <set>
#include <string>

#include "clara/ops/guest_tree.hpp"

namespace clara {

class FakeTree : public GuestTree {
  public:
    std::map<std::string, std::string> files;
    std::map<std::string, std::string> links;  ///< to files of the map

    std::optional<std::string> read(const std::string& path) const override {
        auto link = links.find(path);
        auto found = files.find(link == links.end() ? path : link->second);
        return found == files.end() ? std::nullopt : std::optional(found->second);
    }
    std::vector<std::string> list(const std::string& path) const override {
        std::set<std::string> names;
        auto look = [&](const auto& map) {
            for (const auto& [file, value] : map)
                if (file.starts_with(path + "/"))
                    names.insert(
                        file.substr(path.size() + 1, file.find('/', path.size() + 1) - path.size() - 1));
        };
        look(files), look(links);
        return {names.begin(), names.end()};
    }
    bool exists(const std::string& path) const override {
        return files.count(path) || links.count(path) || !list(path).empty();
    }
    std::optional<std::string> link_target(const std::string& path) const override {
        auto link = links.find(path);
        return link == links.end() ? std::nullopt : std::optional(link->second);
    }
};

}  // namespace clara
