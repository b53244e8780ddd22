#include <fmt/format.h>

#include <map>

#include "clara/base/error.hpp"
#include "clara/spec/bind.hpp"
#include "clara/spec/names.hpp"
#include "clara/spec/template.hpp"

namespace clara {
namespace {

/// One entry of a fleet file, or its defaults.
struct Entry {
    std::string name, template_name, address = "auto", network, pool;
    std::map<std::string, std::string> set;
};

Table<Entry> defaults_table() {
    return {
        {{.name = "template", .doc = "Name of a template, or its path."},
         [](const Yaml& node, Entry& entry) {
             bool file = node.text.find('/') != std::string::npos || node.text.ends_with(".yaml");
             entry.template_name = file ? host_path(node) : node.text;
         },
         {}},
        field(&Entry::network, {.name = "network", .doc = "Network of the site."}),
        field(&Entry::pool, {.name = "pool", .doc = "Pool of the site."}),
        {{.name = "set",
          .type = Type::map,
          .doc = "Parameters of the template, or dotted keys.",
          .children = {{.type = Type::block}}},
         [](const Yaml& node, Entry& entry) {
             for (std::size_t i = 0; i < node.items.size(); ++i)
                 entry.set[node.names[i].text] = node.items[i].text;
         },
         {}},
    };
}

Table<Entry> entry_table() {
    Table<Entry> table{
        field(&Entry::name, {.name = "name", .doc = "Name or range such as bpm[01-20].", .required = true}),
        field(&Entry::address, {.name = "address", .doc = "auto, or the address of a single IOC."}),
    };
    for (auto& shared : defaults_table()) table.push_back(shared);
    return table;
}

Key fleet_key() {
    Key entry{.type = Type::section, .children = keys_of(entry_table())};
    return {.type = Type::section,
            .children = {{.name = "defaults",
                          .type = Type::section,
                          .doc = "For all of them.",
                          .children = keys_of(defaults_table())},
                         {.name = "iocs",
                          .type = Type::list,
                          .doc = "The IOCs, or ranges of them.",
                          .required = true,
                          .children = {entry}}}};
}

}  // namespace

std::vector<Request> read_fleet(const std::string& file) {
    constexpr std::size_t most = 10000;
    Problems problems;
    Yaml tree = load_yaml_file(file, problems);
    validate(tree, fleet_key(), problems);
    problems.check();
    Entry defaults;
    if (const Yaml* node = tree.find("defaults")) read_section(*node, defaults_table(), defaults);

    std::vector<Request> requests;
    std::map<std::string, std::string> seen;  // name -> place
    for (const auto& node : tree.find("iocs")->items) {
        Entry entry = defaults;
        read_section(node, entry_table(), entry);
        auto tell = [&](const std::string& what) { problems.add(node.place, what); };
        std::vector<std::string> names;
        try {
            names = expand_range(entry.name);
        } catch (const Error& e) {
            tell(e.message());
        }
        if (entry.template_name.empty()) tell("missing key 'template' (here or under defaults)");
        if (names.size() > 1 && entry.address != "auto") tell("address: one address cannot serve a range");
        if (requests.size() + names.size() > most) {
            tell(fmt::format("more than {} IOCs", most));
            break;
        }
        for (const auto& name : names) {
            if (auto wrong = name_problem(name); !wrong.empty())
                tell(fmt::format("name '{}': {}", name, wrong));
            auto [first, fresh] = seen.emplace(name, node.place.str());
            if (!fresh) tell(fmt::format("name '{}' is there already, at {}", name, first->second));
            requests.push_back({name,
                                entry.template_name,
                                {entry.set.begin(), entry.set.end()},
                                entry.address,
                                entry.network,
                                entry.pool,
                                node.place.str(),
                                node.place.source->folder});
        }
    }
    problems.check();
    return requests;
}

}  // namespace clara
