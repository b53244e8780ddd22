// Keys, leases and seeds that two machines must not share.
#include <algorithm>
#include <array>

#include "clara/ops/identity/parts.hpp"
#include "clara/ops/identity/text.hpp"

namespace clara::identity {
namespace {

struct LeaseFolder {
    const char* path;
    std::vector<const char*> endings;
};

/// Not ours to change, and wrong on a copy.
struct Registration {
    const char* path;
    const char* what;
};

bool ends_with_any(const std::string& name, const std::vector<const char*>& endings) {
    return std::any_of(endings.begin(), endings.end(), [&](const char* e) { return name.ends_with(e); });
}

/// A client id written down in dhclient.conf wins over the MAC.
void plan_dhclient(const GuestTree& tree, IdentityPlan& plan) {
    for (const char* file : {"/etc/dhcp/dhclient.conf", "/etc/dhclient.conf", "/etc/dhcp3/dhclient.conf"}) {
        auto text = tree.read(file);
        if (!text) continue;
        auto lines = lines_of(*text);
        bool changed = false;
        for (auto& line : lines) {
            const std::string bare = trimmed(line);
            if (!bare.starts_with("send dhcp-client-identifier") && !bare.starts_with("send dhcp6.client-id"))
                continue;
            line = "# of the machine this is a copy of: " + bare;
            changed = true;
        }
        if (changed) plan.write(file, join_lines(lines));
    }
}

}  // namespace

void plan_keys(const GuestTree& tree, IdentityPlan& plan) {
    for (const auto& name : tree.list("/etc/ssh")) {
        constexpr std::string_view prefix = "ssh_host_", suffix = "_key";
        if (name.size() <= prefix.size() + suffix.size() || !name.starts_with(prefix)) continue;
        const std::string path = "/etc/ssh/" + name;
        if (name.ends_with("_key-cert.pub")) {
            plan.remove(path);
            plan.warn(path + " was removed: a certificate of the source's key is of no use here");
        }
        if (!name.ends_with(suffix)) continue;
        const std::string type = name.substr(prefix.size(), name.size() - prefix.size() - suffix.size());
        if (type == "rsa" || type == "ecdsa" || type == "ed25519") {
            plan.changes.push_back({FileChange::What::host_key, path, type, 0600});
        } else {  // DSA: no sshd of today makes or takes one
            plan.remove(path);
            plan.remove(path + ".pub");
        }
    }
}

void plan_leases(const GuestTree& tree, IdentityPlan& plan) {
    const std::array leases{LeaseFolder{"/var/lib/dhcp", {".leases", ".lease"}},
                            LeaseFolder{"/var/lib/dhcp3", {".leases"}},
                            LeaseFolder{"/var/lib/dhclient", {".leases", ".lease"}},
                            LeaseFolder{"/var/lib/dhcpcd", {".lease", ".lease6", "duid", "secret"}},
                            LeaseFolder{"/var/lib/dhcpcd5", {".lease", ".lease6", "duid", "secret"}},
                            LeaseFolder{"/var/lib/NetworkManager", {".lease", "secret_key", "timestamps"}},
                            LeaseFolder{"/var/lib/systemd", {"random-seed"}}};
    for (const auto& folder : leases)
        for (const auto& name : tree.list(folder.path))
            if (ends_with_any(name, folder.endings)) plan.remove(std::string(folder.path) + "/" + name);
    for (const char* path : {"/etc/dhcpcd.duid", "/etc/dhcpcd.secret", "/var/lib/urandom/random-seed"})
        if (tree.exists(path)) plan.remove(path);
    plan_dhclient(tree, plan);
    const std::array registrations{
        Registration{"/etc/krb5.keytab", "it is the source's to the Kerberos domain"},
        Registration{"/etc/pki/consumer/cert.pem", "it is the source's to Red Hat's subscription service"},
        Registration{"/etc/iscsi/initiatorname.iscsi", "iSCSI targets take it for the source"},
        Registration{"/etc/corosync/corosync.conf", "it would join the source's cluster"},
        Registration{"/etc/salt/minion_id", "its Salt master takes it for the source"},
        Registration{"/etc/puppet/puppet.conf", "its Puppet server may take it for the source"},
    };
    for (const auto& [path, what] : registrations)
        if (tree.exists(path)) plan.warn(std::string(path) + " was left alone: " + what);
}

}  // namespace clara::identity
