// Ubuntu's /etc/netplan/*.yaml, netplan(5). Comments do not survive.
#include <yaml-cpp/yaml.h>

#include <algorithm>

#include "clara/ops/identity/parts.hpp"
#include "clara/ops/identity/text.hpp"

namespace clara::identity {
namespace {

bool truth(const YAML::Node& node) {
    const std::string text = node && node.IsScalar() ? node.Scalar() : "";
    return text == "true" || text == "yes" || text == "on";
}

std::string first_address(const YAML::Node& definition) {
    const YAML::Node addresses = definition["addresses"];
    if (!addresses || !addresses.IsSequence() || addresses.size() == 0) return {};
    const YAML::Node first = addresses[0];
    if (first.IsScalar()) return first.Scalar();
    // "10.0.0.5/24": {label: ...}
    return first.IsMap() && first.size() == 1 ? first.begin()->first.as<std::string>("") : "";
}

bool is_default(const YAML::Node& route) {
    const std::string to = route.IsMap() ? route["to"].as<std::string>("") : "";
    return to == "default" || to == "0.0.0.0/0" || to == "::/0" || to == "0/0";
}

YAML::Node new_routes(const YAML::Node& old, const NewAddress& address) {
    YAML::Node routes(YAML::NodeType::Sequence);
    if (old && old.IsSequence())
        for (const auto& route : old)
            if (!is_default(route)) routes.push_back(route);
    if (address.gateway) {
        YAML::Node route;
        route["to"] = "0.0.0.0/0";  // "default" is not known to the netplan of Ubuntu 20.04
        route["via"] = address.gateway->str();
        routes.push_back(route);
    }
    return routes;
}

void rewrite(YAML::Node definition, const NewAddress& address) {
    for (const char* key :
         {"addresses", "gateway4", "gateway6", "dhcp4", "dhcp6", "dhcp-identifier", "macaddress"})
        definition.remove(key);
    definition["dhcp4"] = false;
    definition["addresses"].push_back(address.address.str());
    const YAML::Node routes = new_routes(definition["routes"], address);
    if (routes.size() > 0)
        definition["routes"] = routes;
    else
        definition.remove("routes");
    if (!address.nameservers.empty()) {
        YAML::Node servers(YAML::NodeType::Sequence);
        for (const auto& server : address.nameservers) servers.push_back(server);
        definition["nameservers"]["addresses"] = servers;
    }
    if (YAML::Node match = definition["match"]; match && match.IsMap() && match["macaddress"])
        match["macaddress"] = address.mac.str();
}

/// The name the kernel's interface must have; empty where it is found by its MAC or a pattern.
std::string interface_of(const std::string& id, const YAML::Node& definition) {
    if (const YAML::Node ports = definition["interfaces"]; ports && ports.IsSequence() && ports.size() > 0)
        return ports[0].as<std::string>("");
    return definition["match"] ? "" : id;
}

std::string emit(const YAML::Node& tree) {
    YAML::Emitter out;
    out.SetIndent(2);
    out << tree;
    return std::string("# changed when this machine was made as a copy\n") + out.c_str() + "\n";
}

}  // namespace

NetworkEdit edit_netplan(const std::string& text, const NewAddress& address) {
    NetworkEdit edit;
    try {
        YAML::Node tree = YAML::Load(text);
        const YAML::Node network = tree.IsMap() ? tree["network"] : YAML::Node();
        if (!network.IsDefined() || !network.IsMap()) return edit;
        for (const char* section : {"bridges", "bonds", "ethernets"}) {
            const YAML::Node definitions = network[section];
            if (!definitions || !definitions.IsMap()) continue;
            for (const auto& entry : definitions) {
                if (!entry.second.IsMap()) continue;
                const std::string id = entry.first.as<std::string>("");
                const std::string old = first_address(entry.second);
                if (old.empty() && !truth(entry.second["dhcp4"])) continue;
                if (edit.found) {
                    if (!old.empty()) edit.warnings.push_back(id + " keeps the source's address " + old);
                    continue;
                }
                edit.found = true;
                edit.old_address = without_prefix(old);
                edit.interface = interface_of(id, entry.second);
                rewrite(entry.second, address);
            }
        }
        if (edit.found) edit.text = emit(tree);
    } catch (const YAML::Exception& e) {
        edit = {};
        edit.warnings.push_back(std::string("not readable: ") + e.what());
    }
    return edit;
}

}  // namespace clara::identity
