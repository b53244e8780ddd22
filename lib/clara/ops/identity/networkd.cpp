// systemd.network(5) and NetworkManager's keyfiles.
#include <algorithm>

#include "clara/ops/identity/ini.hpp"
#include "clara/ops/identity/parts.hpp"
#include "clara/ops/identity/text.hpp"

namespace clara::identity {
namespace {

bool is_pattern(const std::string& name) {
    return name.empty() || name.find_first_of("*?[! ") != std::string::npos;
}

bool one_of(const std::string& text, std::initializer_list<const char*> words) {
    return std::find(words.begin(), words.end(), text) != words.end();
}

bool is_default_route(const std::vector<std::string>& lines) {
    bool elsewhere = false;
    for (const auto& line : lines) {
        const std::string bare = trimmed(line);
        elsewhere |=
            bare.starts_with("Destination=") && bare != "Destination=0.0.0.0/0" && bare != "Destination=::/0";
    }
    return !elsewhere;
}

}  // namespace

NetworkEdit edit_networkd(const std::string& text, const NewAddress& address) {
    NetworkEdit edit;
    Ini ini(text);
    const std::string name = ini.get("Match", "Name");
    if (!ini.has_section("Match") || name == "lo" || name.starts_with("lo ")) return edit;
    std::string old = ini.get("Network", "Address");
    if (old.empty()) old = ini.get("Address", "Address");
    const std::string dhcp = ini.get("Network", "DHCP");
    if (old.empty() && (dhcp.empty() || one_of(dhcp, {"no", "false", "none", "off", "0"}))) return edit;
    edit.found = true;
    edit.old_address = without_prefix(old);
    edit.interface = is_pattern(name) ? "" : name;
    for (const char* key : {"MACAddress", "PermanentMACAddress"})
        if (!ini.get("Match", key).empty()) ini.set("Match", key, address.mac.str());
    ini.erase("Link", "MACAddress");
    ini.erase("Network", [](const std::string& key) {
        return one_of(key, {"Address", "Gateway", "DNS", "DHCP"});
    });
    ini.erase_sections("Address", [](const auto&) { return true; });
    ini.erase_sections("Route", is_default_route);
    for (const char* section : {"DHCP", "DHCPv4", "DHCPv6"})
        ini.erase(section, [](const std::string& key) {
            return one_of(key, {"ClientIdentifier", "DUIDType", "DUIDRawData", "IAID", "Hostname"});
        });
    ini.add("Network", "DHCP", "no");
    ini.add("Network", "Address", address.address.str());
    if (address.gateway) ini.add("Network", "Gateway", address.gateway->str());
    for (const auto& server : address.nameservers) ini.add("Network", "DNS", server);
    edit.text = ini.text();
    return edit;
}

NetworkEdit edit_keyfile(const std::string& text, const NewAddress& address, const std::string& uuid) {
    NetworkEdit edit;
    Ini ini(text);
    if (!one_of(ini.get("connection", "type"), {"ethernet", "802-3-ethernet"})) return edit;
    const std::string link = ini.has_section("802-3-ethernet") ? "802-3-ethernet" : "ethernet";
    edit.found = true;
    edit.interface = ini.get("connection", "interface-name");
    const std::string old =
        ini.get("ipv4", "address1").empty() ? ini.get("ipv4", "addresses") : ini.get("ipv4", "address1");
    edit.old_address = without_prefix(old.substr(0, old.find_first_of(",;")));
    ini.set("connection", "uuid", uuid);
    ini.erase("connection", "timestamp");
    ini.erase(link, "cloned-mac-address");
    if (!ini.get(link, "mac-address").empty() || edit.interface.empty())
        ini.set(link, "mac-address", address.mac.str());
    ini.erase("ipv4", [](const std::string& key) {
        return key.starts_with("address") || one_of(key, {"method", "gateway", "dns", "dhcp-client-id",
                                                          "dhcp-hostname", "dhcp-fqdn", "dhcp-iaid"});
    });
    ini.add("ipv4", "method", "manual");
    ini.add("ipv4", "address1",
            address.address.str() + (address.gateway ? "," + address.gateway->str() : std::string()));
    std::string servers;
    for (const auto& server : address.nameservers) servers += server + ";";
    if (!servers.empty()) ini.add("ipv4", "dns", servers);
    if (ini.get("ipv6", "method") == "manual") {
        edit.warnings.push_back("its IPv6 address " + ini.get("ipv6", "address1") +
                                " was taken out, as the source has it");
        ini.erase("ipv6",
                  [](const std::string& key) { return key.starts_with("address") || key == "gateway"; });
        ini.set("ipv6", "method", "auto");
    }
    edit.text = ini.text();
    return edit;
}

std::string new_keyfile(const NewAddress& address, const std::string& uuid) {
    return edit_keyfile(
               "[connection]\nid=clara\ntype=ethernet\n\n[ethernet]\n\n[ipv4]\n\n[ipv6]\nmethod=auto\n",
               address, uuid)
        .text;
}

}  // namespace clara::identity
