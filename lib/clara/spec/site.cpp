#include "clara/spec/site.hpp"

#include <fmt/format.h>
#include <pwd.h>

#include <algorithm>
#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <set>

#include "clara/base/error.hpp"
#include "clara/base/files.hpp"
#include "clara/spec/backup_checks.hpp"
#include "clara/spec/bind.hpp"
#include "clara/spec/checks.hpp"
#include "clara/spec/guest_table.hpp"
#include "clara/spec/names.hpp"

namespace clara {

static const Table<Pool>& table_of(const Pool*) {
    static const Table<Pool> table{
        field(&Pool::name, {.name = "name", .doc = "Its name.", .required = true, .check = word_problem}),
        field(&Pool::path, {.name = "path",
                            .type = Type::path,
                            .doc = "Folder.",
                            .example = "/var/lib/clara",
                            .required = true}),
        field(&Pool::mounted, {.name = "mounted",
                               .type = Type::boolean,
                               .doc = "It is a mount point: where nothing is mounted, backups are refused "
                                      "instead of going into the folder below.",
                               .fallback = "false"}),
        field(&Pool::keep, {.name = "keep",
                            .doc = "Which restore points stay that clara-backup copy has brought here.",
                            .example = "{weekly: 8, monthly: 24}",
                            .fallback = "as where they come from"}),
    };
    return table;
}

static const Table<SiteBackup>& table_of(const SiteBackup*) {
    static const Table<SiteBackup> table{
        field(&SiteBackup::pool, {.name = "pool",
                                  .doc = "Name of the pool that restore points go to.",
                                  .example = "nas",
                                  .fallback = "the first",
                                  .check = word_problem}),
        field(&SiteBackup::keep, {.name = "keep",
                                  .doc = "Which restore points stay, where a guest says nothing itself.",
                                  .example = "{weekly: 4, monthly: 6}"}),
        field(&SiteBackup::every, {.name = "every",
                                   .type = Type::duration,
                                   .doc = "How often one is expected: clara-backup status warns when the "
                                          "newest is older.",
                                   .fallback = "24h"}),
    };
    return table;
}

static const Table<Network>& table_of(const Network*) {
    static const Table<Network> table{
        field(&Network::name, {.name = "name", .doc = "Its name.", .required = true, .check = word_problem}),
        field(&Network::bridge, {.name = "bridge",
                                 .doc = "Bridge on the host.",
                                 .example = "clarabr0",
                                 .required = true,
                                 .check = bridge_problem}),
        field(&Network::subnet, {.name = "address",
                                 .type = Type::subnet,
                                 .doc = "The host's own address on the bridge.",
                                 .example = "10.87.0.1/24",
                                 .required = true}),
        field(&Network::gateway,
              {.name = "gateway", .type = Type::address, .doc = "Next hop of the guests."}),
        field(&Network::first, {.name = "first",
                                .type = Type::address,
                                .doc = "First address for --address auto.",
                                .fallback = "the first of the subnet"}),
        field(&Network::last, {.name = "last",
                               .type = Type::address,
                               .doc = "Last address for --address auto.",
                               .fallback = "the last of the subnet"}),
        field(
            &Network::managed,
            {.name = "managed", .type = Type::boolean, .doc = "clara makes the bridge.", .fallback = "true"}),
        field(&Network::isolated,
              {.name = "isolated", .type = Type::boolean, .doc = "No way out.", .fallback = "false"}),
        field(&Network::nameservers,
              {.name = "nameservers", .type = Type::address, .doc = "For the guests' resolv.conf."}),
    };
    return table;
}

namespace {

const Table<Site>& site_table() {
    static const Table<Site> table{
        field(&Site::pools, {.name = "pools", .doc = "Folders of guests; the first is the default."}),
        field(&Site::networks, {.name = "networks", .doc = "Bridges; the first is the default."}),
        field(&Site::template_path,
              {.name = "templates", .type = Type::host_path, .doc = "Folders searched for templates."}),
        field(&Site::ssh_keys, {.name = "ssh-keys",
                                .type = Type::ssh_key,
                                .doc = "Keys that may log in as root everywhere; default: those in ~/.ssh of "
                                       "root and of the user behind sudo."}),
        field(&Site::lxc_path, {.name = "lxc-path", .type = Type::path, .doc = "LXC's own folder."}),
        field(&Site::run_dir, {.name = "run-dir", .type = Type::path, .doc = "Mounts of this boot."}),
        field(&Site::libvirt_uri, {.name = "libvirt-uri",
                                   .doc = "The libvirt that runs KVM guests.",
                                   .example = "qemu:///system",
                                   .check = uri_problem}),
        field(
            &Site::hypervisor,
            {.name = "hypervisor",
             .type = Type::choice,
             .doc = "kvm: the processor's own virtualisation. qemu: emulation, some ten times slower. auto: "
                    "kvm where it was seen to run a guest since the host booted, else qemu.",
             .choices = {"auto", "kvm", "qemu"}}),
        group<Site>({.name = "idmap", .doc = "Host ids of unprivileged guests."},
                    {field(&Site::idmap_base,
                           {.name = "base", .type = Type::integer, .doc = "First id.", .min = 65536}),
                     field(&Site::idmap_count,
                           {.name = "count", .type = Type::integer, .doc = "How many.", .min = 65536})}),
        field(&Site::backup, {.name = "backup", .doc = "Where restore points go and how long they stay."}),
        field(&Site::arp_wait, {.name = "arp-wait",
                                .type = Type::duration,
                                .doc = "Silence after which an address counts as free."}),
    };
    return table;
}

void finish(Network& network, const Place& place, Problems& problems) {
    const Subnet& subnet = network.subnet;
    auto tell = [&](const std::string& what) {
        problems.add(place, fmt::format("network '{}': {}", network.name, what));
    };
    if (subnet.prefix > 30) return tell("its subnet holds no guests");
    if (!subnet.usable(subnet.address)) tell(subnet.str() + " is no address of a host");
    if (network.first == Ipv4{}) network.first = {subnet.network().value + 1};
    if (network.last == Ipv4{}) network.last = {subnet.broadcast().value - 1};
    if (!subnet.usable(network.first) || !subnet.usable(network.last) || network.last < network.first)
        tell(fmt::format("{}-{} is no range of {}", network.first.str(), network.last.str(), subnet.str()));
    if (network.gateway && !subnet.usable(*network.gateway))
        tell(fmt::format("gateway {} is not in {}", network.gateway->str(), subnet.str()));
}

/// templates/ of the checkout an executable was built in, e.g. build/bin/clara-list; empty where it is none.
std::string checkout_templates() {
    std::error_code error;
    auto self = std::filesystem::read_symlink("/proc/self/exe", error);
    if (error) throw Error(ErrorKind::failed, "cannot read /proc/self/exe: " + error.message());
    auto top = self.parent_path().parent_path().parent_path();
    std::string templates = top / "templates", library = top / "lib/clara";
    return exists(library) && exists(templates) ? templates : "";
}

template <class T>
const T& by_name(const std::vector<T>& all, const std::string& name, const char* what) {
    if (all.empty()) throw Error(ErrorKind::usage, fmt::format("the site has no {}", what));
    if (name.empty()) return all.front();
    std::vector<std::string> names;
    for (const auto& one : all) {
        if (one.name == name) return one;
        names.push_back(one.name);
    }
    throw Error(ErrorKind::usage, fmt::format("unknown {} '{}'", what, name),
                fmt::format("known: {}", fmt::join(names, ", ")));
}

template <class T>
void refuse_twins(const std::vector<T>& all, const Yaml& list, Problems& problems) {
    std::set<std::string> seen;
    for (std::size_t i = 0; i < all.size(); ++i)
        if (!seen.insert(all[i].name).second)
            problems.add(list.items[i].place, fmt::format("name '{}' is there twice", all[i].name));
}

/// Public keys of those who run this host: what root and the user behind sudo have in ~/.ssh. Lines that tie
/// a key to options (man sshd, "AUTHORIZED_KEYS FILE FORMAT") were not meant for a root shell and stay out.
std::vector<std::string> operator_keys() {
    std::vector<std::string> keys, homes = {"/root"};
    if (const char* user = std::getenv("SUDO_USER"))
        if (const passwd* entry = ::getpwnam(user)) homes.push_back(entry->pw_dir);
    for (const auto& home : homes)
        for (const char* name : {"authorized_keys", "id_ed25519.pub", "id_ecdsa.pub", "id_rsa.pub"}) {
            std::ifstream file(home + "/.ssh/" + name);
            for (std::string line; std::getline(file, line);)
                if (is_ssh_key(line) && std::find(keys.begin(), keys.end(), line) == keys.end())
                    keys.push_back(line);
        }
    return keys;
}

}  // namespace

const Network& Site::network(const std::string& name) const {
    return by_name(networks, name, "network");
}

const Pool& Site::pool(const std::string& name_or_path) const {
    for (const auto& pool : pools)
        if (pool.path == name_or_path) return pool;
    return by_name(pools, name_or_path, "pool");
}

Site default_site() {
    Site site;
    site.pools = {{"default", "/var/lib/clara"}};
    Network controls;
    controls.name = "controls";
    controls.bridge = "clarabr0";
    controls.subnet = *Subnet::parse("10.87.0.1/24");
    controls.first = *Ipv4::parse("10.87.0.11");
    controls.last = *Ipv4::parse("10.87.0.250");
    site.networks = {controls};
    site.template_path = {"/etc/clara/templates"};
    if (auto checkout = checkout_templates(); !checkout.empty()) site.template_path.push_back(checkout);
    site.template_path.push_back("/usr/share/clara/templates");
    return site;
}

Site read_site(const std::string& file) {
    Site site = default_site();
    site.ssh_keys = operator_keys();
    if (file.empty() && !exists(standard_site_file)) return site;
    site.file = std::filesystem::absolute(file.empty() ? standard_site_file : file);
    Problems problems;
    Yaml tree = load_yaml_file(site.file, problems);
    validate(tree, {.type = Type::section, .children = keys_of(site_table())}, problems);
    problems.check();
    auto shipped = std::move(site.template_path);
    site.template_path.clear();
    read_section(tree, site_table(), site);
    site.template_path.insert(site.template_path.end(), shipped.begin(), shipped.end());
    if (const Yaml* networks = tree.find("networks")) {
        for (std::size_t i = 0; i < site.networks.size(); ++i)
            finish(site.networks[i], networks->items[i].place, problems);
        refuse_twins(site.networks, *networks, problems);
    }
    if (const Yaml* pools = tree.find("pools")) refuse_twins(site.pools, *pools, problems);
    check_backup(site, tree, problems);
    if (site.pools.empty() || site.networks.empty())
        problems.add(tree.place, "a site needs at least one pool and one network");
    problems.check();
    return site;
}

}  // namespace clara
