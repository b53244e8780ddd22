#include "clara/spec/template.hpp"

#include <fmt/format.h>

#include <filesystem>

#include "clara/base/error.hpp"
#include "clara/base/files.hpp"
#include "clara/spec/guest_table.hpp"
#include "clara/spec/params.hpp"
#include "clara/spec/template_checks.hpp"

namespace clara {
namespace {

const Key& template_key() {
    static const Key key = [] {
        Key all{.type = Type::section, .children = keys_of(template_table())};
        all.children.insert(all.children.begin(), parameters_key());
        return all;
    }();
    return key;
}

bool names_file(const std::string& name) {
    return name.find('/') != std::string::npos || name.ends_with(".yaml") || name.ends_with(".yml");
}

std::string find_template(const std::string& name, const Site& site) {
    if (name.empty()) throw Error(ErrorKind::usage, "no template is named", "add --template NAME");
    if (names_file(name)) return name;
    std::vector<std::string> known;
    for (const auto& folder : site.template_path) {
        if (!exists(folder)) continue;
        if (std::string file = folder + "/" + name + ".yaml"; exists(file)) return file;
        for (const auto& entry : list_dir(folder))
            if (entry.ends_with(".yaml")) known.push_back(entry.substr(0, entry.size() - 5));
    }
    auto near = nearest(name, known);
    throw Error(ErrorKind::usage,
                fmt::format("no template '{}' in {}", name, fmt::join(site.template_path, ", ")),
                !near.empty()   ? fmt::format("did you mean '{}'?", near)
                : known.empty() ? "--template takes the path of a file too"
                                : fmt::format("known: {}", fmt::join(known, ", ")));
}

void place_on_site(GuestSpec& spec, const Request& request, const Site& site, const Place& where,
                   Problems& problems) {
    try {
        const Network& network = site.network(request.network);
        spec.nic.network = network.name;
        spec.nic.bridge = network.bridge;
        spec.nic.subnet.prefix = network.subnet.prefix;
        spec.nic.gateway = network.gateway;
        if (spec.nameservers.empty()) spec.nameservers = network.nameservers;
    } catch (const Error& e) {
        problems.add(where, e.message() + " (" + e.hint() + ")");
    }
    try {
        spec.pool = site.pool(request.pool).path;
    } catch (const Error& e) {
        problems.add(where, e.message() + " (" + e.hint() + ")");
    }
}

}  // namespace

GuestSpec resolve(const Request& request, const Site& site) {
    Problems problems;
    auto folder = request.folder.empty() ? std::filesystem::current_path().string() : request.folder;
    Place where{std::make_shared<const YamlSource>(YamlSource{request.where, folder})};
    GuestSpec spec;
    spec.name = request.name;
    if (auto wrong = name_problem(spec.name); !wrong.empty())
        problems.add(where, fmt::format("name '{}': {}", spec.name, wrong));
    std::string file = find_template(request.template_name, site);
    spec.template_name =
        names_file(request.template_name) ? std::filesystem::absolute(file).string() : request.template_name;

    Yaml tree = load_yaml_file(file, problems);
    auto parameters = read_parameters(tree, template_key(), spec.name, request.set, where, problems);
    for (std::size_t i = 0; i < tree.names.size(); ++i)
        if (tree.names[i].text != "parameters") substitute(tree.items[i], parameters, problems);
    if (!request.kind.empty() && tree.kind == Yaml::Kind::map) {
        Yaml& kind = tree.at_key("kind");
        kind = Yaml::scalar(request.kind);
        kind.place = {std::make_shared<const YamlSource>(YamlSource{"--kind", folder})};
    }
    validate(tree, template_key(), problems);
    require_base(tree, problems);
    problems.check();

    read_section(tree, template_table(), spec);
    place_on_site(spec, request, site, where, problems);
    complete(spec, site, tree, problems);
    problems.check();
    return spec;
}

std::string explain_template() {
    return "A template is a YAML file with these keys. ${PARAMETER} in a value is replaced by what --set "
           "gives,\n"
           "${name} and ${NAME} by the guest's name (the latter in upper case); $${ stands for a plain ${.\n"
           "--set KEY=VALUE also sets any key by its dotted name, e.g. --set limits.memory=64M.\n"
           "[] marks the keys of each entry of a list, NAME a name you choose.\n\n" +
           explain(template_key().children);
}

std::string explain_template_roff() {
    return explain_roff(template_key().children);
}

}  // namespace clara
