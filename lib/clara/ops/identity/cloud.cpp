// cloud-init: its NoCloud source reads from a folder in the guest itself, so no ISO is needed.
// https://cloudinit.readthedocs.io "NoCloud", seed folder /var/lib/cloud/seed/nocloud
#include <fmt/format.h>

#include "clara/ops/identity/parts.hpp"

namespace clara::identity {
namespace {

constexpr const char* seed = "/var/lib/cloud/seed/nocloud/";

std::string network_config(const NewAddress& address) {
    std::string text = fmt::format(
        "version: 2\nethernets:\n  clara0:\n    match:\n      macaddress: \"{}\"\n    dhcp4: false\n    "
        "addresses: [{}]\n",
        address.mac.str(), address.address.str());
    if (address.gateway)
        text += fmt::format("    routes:\n      - to: 0.0.0.0/0\n        via: {}\n", address.gateway->str());
    if (address.nameservers.empty()) return text;
    text += "    nameservers:\n      addresses:\n";
    for (const auto& server : address.nameservers) text += "        - " + server + "\n";
    return text;
}

}  // namespace

void plan_cloud(const GuestTree& tree, const Identity& identity, IdentityPlan& plan) {
    if (!tree.exists("/etc/cloud/cloud.cfg") || tree.exists("/etc/cloud/cloud-init.disabled")) return;
    if (!tree.exists("/usr/bin/cloud-init")) return;
    // Another instance-id makes cloud-init take this for a new machine, once.
    plan.write(std::string(seed) + "meta-data", fmt::format("instance-id: clara-{}\nlocal-hostname: {}\n",
                                                            identity.machine_id, identity.hostname));
    plan.write(std::string(seed) + "user-data",
               "#cloud-config\npreserve_hostname: false\nssh_deletekeys: false\n", 0600);
    if (identity.address) plan.write(std::string(seed) + "network-config", network_config(*identity.address));
    plan.write("/etc/cloud/cloud.cfg.d/99-clara.cfg", "datasource_list: [NoCloud, None]\n");
}

}  // namespace clara::identity
