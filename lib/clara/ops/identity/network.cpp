// Which of the ways to configure a network this system uses, and the change in its files.
#include <fmt/format.h>

#include <algorithm>
#include <functional>

#include "clara/ops/identity/parts.hpp"
#include "clara/ops/inside.hpp"

namespace clara::identity {
namespace {

constexpr const char* link_file = "/etc/systemd/network/10-clara.link";
constexpr const char* persistent_net = "/etc/udev/rules.d/70-persistent-net.rules";

using Edit = std::function<NetworkEdit(const std::string& text)>;

/// Tries the files in order; the first that configures an interface is changed. Others only get to say what
/// they keep.
NetworkEdit edit_first(const GuestTree& tree, const std::vector<std::string>& files, const Edit& edit,
                       IdentityPlan& plan) {
    NetworkEdit first;
    for (const auto& file : files) {
        auto text = tree.read(file);
        if (!text) continue;
        NetworkEdit now = edit(*text);
        if (now.found && first.found) {
            if (!now.old_address.empty()) plan.warn(file + " keeps the source's address " + now.old_address);
            continue;
        }
        for (const auto& warning : now.warnings) plan.warn(file + ": " + warning);
        if (!now.found) continue;
        plan.write(file, now.text);
        first = std::move(now);
    }
    return first;
}

std::vector<std::string> files_in(const GuestTree& tree, const std::string& folder, const std::string& prefix,
                                  const std::string& suffix) {
    std::vector<std::string> files;
    for (const auto& name : tree.list(folder))
        if (name.starts_with(prefix) && name.ends_with(suffix) && name.back() != '~')
            files.push_back(folder + "/" + name);
    return files;
}

bool has_program(const GuestTree& tree, const std::string& name) {
    return tree.exists("/usr/sbin/" + name) || tree.exists("/sbin/" + name) ||
           tree.exists("/usr/bin/" + name) || tree.exists("/bin/" + name);
}

bool networkd_is_on(const GuestTree& tree) {
    const std::string wants = "/etc/systemd/system/";
    return tree.exists(wants + "multi-user.target.wants/systemd-networkd.service") ||
           tree.exists(wants + "dbus-org.freedesktop.network1.service");
}

NetworkEdit edit_network_manager(const GuestTree& tree, const NewAddress& address, const std::string& uuid,
                                 IdentityPlan& plan) {
    const std::string folder = "/etc/NetworkManager/system-connections";
    NetworkEdit edit = edit_first(
        tree, files_in(tree, folder, "", ""),
        [&](const std::string& text) { return edit_keyfile(text, address, uuid); }, plan);
    if (edit.found) return edit;
    edit.found = true;  // without a connection of its own it asks DHCP
    plan.write(folder + "/clara.nmconnection", new_keyfile(address, uuid), 0600);
    return edit;
}

NetworkEdit edit_any(const GuestTree& tree, const Identity& identity, IdentityPlan& plan) {
    const NewAddress& address = *identity.address;
    const std::string& uuid = identity.connection_uuid;
    // Where clara-init is, it is the first program, and reads nothing else.
    if (tree.exists(inside::init_json))
        return edit_first(
            tree, {inside::init_json},
            [&](const std::string& text) { return edit_init_json(text, identity.hostname, address); }, plan);
    NetworkEdit edit = edit_first(
        tree, files_in(tree, "/etc/netplan", "", ".yaml"),
        [&](const std::string& text) { return edit_netplan(text, address); }, plan);
    if (!edit.found)
        edit = edit_first(
            tree, files_in(tree, "/etc/sysconfig/network-scripts", "ifcfg-", ""),
            [&](const std::string& text) { return edit_ifcfg(text, address, uuid); }, plan);
    if (!edit.found && has_program(tree, "ifup")) {
        auto files = files_in(tree, "/etc/network/interfaces.d", "", "");
        files.insert(files.begin(), "/etc/network/interfaces");
        edit = edit_first(
            tree, files, [&](const std::string& text) { return edit_interfaces(text, address); }, plan);
    }
    if (!edit.found && networkd_is_on(tree))
        edit = edit_first(
            tree, files_in(tree, "/etc/systemd/network", "", ".network"),
            [&](const std::string& text) { return edit_networkd(text, address); }, plan);
    if (!edit.found && has_program(tree, "NetworkManager"))
        edit = edit_network_manager(tree, address, uuid, plan);
    return edit;
}

/// A copy's network card has another MAC, and another place on another machine's bus: the name that the
/// configuration calls it by is tied to the MAC.
void keep_name(const GuestTree& tree, const std::string& interface, const Mac& mac, IdentityPlan& plan) {
    if (interface.empty()) return;
    if (tree.exists("/lib/systemd/systemd-udevd") || tree.exists("/usr/lib/systemd/systemd-udevd"))
        plan.write(link_file,
                   fmt::format("# the card that the network's configuration means\n[Match]\nType=ether\n"
                               "MACAddress={}\n\n[Link]\nName={}\n",
                               mac.str(), interface));
    else if (tree.exists("/etc/udev/rules.d"))
        plan.write(persistent_net, fmt::format("SUBSYSTEM==\"net\", ACTION==\"add\", DRIVERS==\"?*\", "
                                               "ATTR{{address}}==\"{}\", ATTR{{type}}==\"1\", NAME=\"{}\"\n",
                                               mac.str(), interface));
}

}  // namespace

std::string plan_network(const GuestTree& tree, const Identity& identity, IdentityPlan& plan) {
    // Old udev ties names to the source's MACs: eth0 would be eth1 from now on.
    if (tree.exists(persistent_net)) plan.remove(persistent_net);
    if (!identity.address) return {};
    const NetworkEdit edit = edit_any(tree, identity, plan);
    if (!edit.found) {
        plan.warn("no network configuration of a known form was found: it keeps the one it has");
        return {};
    }
    keep_name(tree, edit.interface, identity.address->mac, plan);
    return edit.old_address;
}

}  // namespace clara::identity
