// Red Hat's /etc/sysconfig/network-scripts/ifcfg-NAME: assignments of a shell.
#include <algorithm>
#include <array>

#include "clara/ops/identity/parts.hpp"
#include "clara/ops/identity/text.hpp"

namespace clara::identity {
namespace {

struct Line {
    std::string text, key, value;  ///< without a key: a comment, left as it is
};

std::vector<Line> parse(const std::string& text) {
    std::vector<Line> lines;
    for (const auto& line : lines_of(text)) {
        const std::string bare = trimmed(line);
        const auto equals = bare.find('=');
        if (bare.empty() || bare[0] == '#' || equals == std::string::npos)
            lines.push_back({line, "", ""});
        else
            lines.push_back({line, bare.substr(0, equals), unquoted(trimmed(bare.substr(equals + 1)))});
    }
    return lines;
}

std::string get(const std::vector<Line>& lines, const std::string& key) {
    auto found = std::find_if(lines.begin(), lines.end(), [&](const Line& l) { return l.key == key; });
    return found == lines.end() ? std::string() : found->value;
}

/// Keys that say who it is: ours come in their place. IPADDR, IPADDR0, IPADDR1 ... are all addresses.
bool is_ours(const std::string& key) {
    constexpr std::array exact{"BOOTPROTO", "HWADDR",  "MACADDR",        "UUID",
                               "BROADCAST", "NETWORK", "DHCP_CLIENT_ID", "DHCP_HOSTNAME"};
    constexpr std::array numbered{"IPADDR", "PREFIX", "NETMASK", "GATEWAY", "DNS"};
    if (std::find(exact.begin(), exact.end(), key) != exact.end()) return true;
    return std::any_of(numbered.begin(), numbered.end(), [&](const std::string name) {
        return key.starts_with(name) && key.find_first_not_of("0123456789", name.size()) == std::string::npos;
    });
}

}  // namespace

NetworkEdit edit_ifcfg(const std::string& text, const NewAddress& address, const std::string& uuid) {
    NetworkEdit edit;
    auto lines = parse(text);
    const std::string device = get(lines, "DEVICE");
    std::string old = get(lines, "IPADDR");
    if (old.empty()) old = get(lines, "IPADDR0");
    if (device == "lo" || (old.empty() && get(lines, "BOOTPROTO") != "dhcp")) return edit;
    edit.found = true;
    edit.interface = device;
    edit.old_address = old;
    const bool had_mac = !get(lines, "HWADDR").empty(), had_uuid = !get(lines, "UUID").empty();
    std::erase_if(lines, [&](const Line& l) {
        if (l.key == "IPV6ADDR" || l.key == "IPV6ADDR_SECONDARIES") {
            edit.warnings.push_back("its IPv6 address " + l.value + " was taken out, as the source has it");
            return true;
        }
        return is_ours(l.key);
    });
    for (const auto& line : lines) edit.text += line.text + "\n";
    edit.text += "BOOTPROTO=none\nIPADDR=" + address.address.address.str() +
                 "\nPREFIX=" + std::to_string(address.address.prefix) + "\n";
    if (address.gateway) edit.text += "GATEWAY=" + address.gateway->str() + "\n";
    int number = 0;
    for (const auto& server : address.nameservers)
        edit.text += "DNS" + std::to_string(++number) + "=" + server + "\n";
    if (had_mac || device.empty()) edit.text += "HWADDR=" + address.mac.str() + "\n";
    if (had_uuid) edit.text += "UUID=" + uuid + "\n";
    return edit;
}

}  // namespace clara::identity
