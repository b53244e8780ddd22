// Debian's /etc/network/interfaces and its folder, interfaces(5).
#include <algorithm>
#include <array>

#include "clara/ops/identity/parts.hpp"
#include "clara/ops/identity/text.hpp"

namespace clara::identity {
namespace {

struct Stanza {
    std::vector<std::string> lines;
    std::vector<std::string> head;  ///< words of the first line; empty: comments before the first stanza

    bool is_interface() const { return head.size() >= 4 && head[0] == "iface" && head[1] != "lo"; }
    bool v4() const { return is_interface() && head[2] == "inet"; }
    std::string option(const std::string& name) const {
        for (const auto& line : lines) {
            const auto words = words_of(line);
            if (words.size() >= 2 && words[0] == name) return words[1];
        }
        return {};
    }
};

bool begins_stanza(const std::string& word) {
    constexpr std::array heads{"iface",        "auto",       "mapping", "source",  "source-directory",
                               "no-auto-down", "no-scripts", "rename",  "template"};
    return std::find(heads.begin(), heads.end(), word) != heads.end() || word.starts_with("allow-");
}

/// Comments and blank lines belong to the stanza they stand in.
std::vector<Stanza> parse(const std::string& text) {
    std::vector<Stanza> stanzas(1);
    for (const auto& line : lines_of(text)) {
        const auto words = words_of(line);
        if (!words.empty() && begins_stanza(words[0])) stanzas.push_back({{}, words});
        stanzas.back().lines.push_back(line);
    }
    return stanzas;
}

Stanza* choose(std::vector<Stanza>& stanzas) {
    for (const char* method : {"static", "dhcp"})
        for (auto& s : stanzas)
            if (s.v4() && s.head[3] == method && s.head[1].find(':') == std::string::npos) return &s;
    return nullptr;
}

void rewrite(Stanza& stanza, const NewAddress& address) {
    constexpr std::array ours{"address",        "netmask",   "broadcast", "network",
                              "gateway",        "hwaddress", "client",    "dns-nameservers",
                              "dns-nameserver", "hostname",  "vendor"};
    std::vector<std::string> lines{"iface " + stanza.head[1] + " inet static",
                                   "    address " + address.address.str()};
    if (address.gateway) lines.push_back("    gateway " + address.gateway->str());
    if (!address.nameservers.empty()) {
        std::string servers;
        for (const auto& server : address.nameservers) servers += " " + server;
        lines.push_back("    dns-nameservers" + servers);
    }
    for (std::size_t i = 1; i < stanza.lines.size(); ++i) {
        const auto words = words_of(stanza.lines[i]);
        if (words.empty() || std::find(ours.begin(), ours.end(), words[0]) == ours.end())
            lines.push_back(stanza.lines[i]);
    }
    stanza.lines = std::move(lines);
}

}  // namespace

NetworkEdit edit_interfaces(const std::string& text, const NewAddress& address) {
    NetworkEdit edit;
    auto stanzas = parse(text);
    Stanza* chosen = choose(stanzas);
    if (!chosen) return edit;
    edit.found = true;
    const std::string name = chosen->head[1];
    edit.old_address = chosen->head[3] == "static" ? without_prefix(chosen->option("address")) : "";
    const std::string port = chosen->option("bridge_ports").empty() ? chosen->option("bridge-ports")
                                                                    : chosen->option("bridge_ports");
    edit.interface = port.empty() ? name : port == "none" ? "" : port;
    rewrite(*chosen, address);
    std::erase_if(stanzas, [&](const Stanza& s) {
        if (&s == chosen || !s.is_interface() || s.head[3] != "static") return false;
        if (s.head[1] != name && !s.head[1].starts_with(name + ":")) return false;
        edit.warnings.push_back(s.head[1] + ": its further address " + s.option("address") +
                                " was taken out, as the source has it");
        return true;
    });
    for (const auto& s : stanzas)
        if (s.is_interface() && s.head[3] == "static" && s.head[1] != name)
            edit.warnings.push_back(s.head[1] + " keeps the source's address " + s.option("address"));
    for (const auto& s : stanzas)
        for (const auto& line : s.lines) edit.text += line + "\n";
    return edit;
}

}  // namespace clara::identity
