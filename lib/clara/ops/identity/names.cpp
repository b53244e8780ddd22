// Host name, machine-id, /etc/hosts and resolv.conf.
#include <algorithm>

#include "clara/ops/identity/parts.hpp"
#include "clara/ops/identity/text.hpp"

namespace clara::identity {
namespace {

std::string short_name(const std::string& name) {
    return name.substr(0, name.find('.'));
}

/// The domain of the source, with its dot.
std::string domain_of(const std::string& name) {
    const auto dot = name.find('.');
    return dot == std::string::npos ? std::string() : name.substr(dot);
}

bool is_loopback(const std::string& address) {
    return address.starts_with("127.") || address == "::1";
}

/// Lines about the source itself become lines about the copy; what is said of others stays.
std::string edit_hosts(const std::string& text, const std::string& old, const std::string& name,
                       const std::string& old_address, const std::string& address) {
    std::vector<std::string> lines;
    bool known = false;
    for (const auto& line : lines_of(text)) {
        const auto hash = line.find('#');
        auto words = words_of(line.substr(0, hash));
        const bool own = !words.empty() && !old_address.empty() && words[0] == old_address;
        if (words.size() < 2 || (!own && !is_loopback(words[0]))) {
            lines.push_back(line);
            continue;
        }
        bool changed = own;
        if (own && !address.empty()) words[0] = address;
        for (std::size_t i = 1; i < words.size(); ++i) {
            if (old.empty() || short_name(words[i]) != short_name(old) || short_name(old) == "localhost")
                continue;
            words[i] = name + domain_of(words[i]);
            changed = true;
        }
        known |= std::any_of(words.begin() + 1, words.end(),
                             [&](const std::string& w) { return short_name(w) == name; });
        std::string edited = words[0] + "\t" + words[1];
        for (std::size_t i = 2; i < words.size(); ++i) edited += " " + words[i];
        if (hash != std::string::npos) edited += "  " + line.substr(hash);
        lines.push_back(changed ? edited : line);
    }
    if (!known) lines.push_back((address.empty() ? "127.0.1.1" : address) + "\t" + name);
    return join_lines(lines);
}

void plan_hostname(const GuestTree& tree, const std::string& old, const std::string& name,
                   IdentityPlan& plan) {
    const std::string whole = name + domain_of(old);
    if (tree.exists("/etc/HOSTNAME") && !tree.link_target("/etc/HOSTNAME"))
        plan.write("/etc/HOSTNAME", whole + "\n");
    plan.write("/etc/hostname", whole + "\n");
    if (auto text = tree.read("/etc/sysconfig/network");
        text && text->find("HOSTNAME=") != std::string::npos) {
        auto lines = lines_of(*text);
        for (auto& line : lines)
            if (line.starts_with("HOSTNAME=")) line = "HOSTNAME=" + whole;
        plan.write("/etc/sysconfig/network", join_lines(lines));
    }
    if (auto mail = tree.read("/etc/mailname");
        mail && !old.empty() && trimmed(lines_of(*mail + "\n")[0]) == old)
        plan.write("/etc/mailname", whole + "\n");
}

void plan_resolver(const GuestTree& tree, const Identity& identity, IdentityPlan& plan) {
    if (!identity.address || identity.address->nameservers.empty() || tree.link_target("/etc/resolv.conf"))
        return;
    auto text = tree.read("/etc/resolv.conf");
    if (!text) return;
    auto lines = lines_of(*text);
    std::erase_if(lines, [](const std::string& line) { return line.starts_with("nameserver"); });
    for (const auto& server : identity.address->nameservers) lines.push_back("nameserver " + server);
    plan.write("/etc/resolv.conf", join_lines(lines));
}

}  // namespace

std::string old_name(const GuestTree& tree) {
    for (const char* file : {"/etc/hostname", "/etc/HOSTNAME"})
        for (const auto& line : lines_of(tree.read(file).value_or("")))
            if (auto words = words_of(line); !words.empty() && words[0][0] != '#') return words[0];
    for (const auto& line : lines_of(tree.read("/etc/sysconfig/network").value_or("")))
        if (line.starts_with("HOSTNAME=")) return unquoted(trimmed(line.substr(9)));
    return {};
}

void plan_names(const GuestTree& tree, const Identity& identity, const std::string& old_address,
                IdentityPlan& plan) {
    const std::string old = old_name(tree);
    plan_hostname(tree, old, identity.hostname, plan);
    plan.write("/etc/hosts",
               edit_hosts(tree.read("/etc/hosts").value_or("127.0.0.1\tlocalhost\n"), old, identity.hostname,
                          old_address, identity.address ? identity.address->address.address.str() : ""));
    plan_resolver(tree, identity, plan);
    // systemd, dbus and DHCP clients tell machines apart by it.
    if (tree.exists("/etc/machine-id")) plan.write("/etc/machine-id", identity.machine_id + "\n", 0444);
    const std::string dbus = "/var/lib/dbus/machine-id";
    if (tree.exists(dbus) && !tree.link_target(dbus)) plan.write(dbus, identity.machine_id + "\n");
}

}  // namespace clara::identity
