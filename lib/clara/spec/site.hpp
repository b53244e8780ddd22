// One facility's settings: /etc/clara/site.yaml over the built-in default (one host, one managed bridge).
#pragma once
#include <chrono>
#include <optional>
#include <string>
#include <vector>

#include "clara/base/net.hpp"
#include "clara/spec/keep.hpp"

namespace clara {

struct Network {
    std::string name;
    std::string bridge;
    Subnet subnet;  ///< the host's own address on the bridge, e.g. 10.87.0.1/24
    std::optional<Ipv4> gateway;
    Ipv4 first, last;       ///< range for `--address auto`, both ends included
    bool managed = true;    ///< clara makes the bridge; otherwise it must be there
    bool isolated = false;  ///< no way out
    std::vector<std::string> nameservers;
};

struct Pool {
    std::string name;
    std::string path;      ///< absolute folder
    bool mounted = false;  ///< it has to be a mount point: a local folder in its place is refused
    std::optional<Keep>
        keep;  ///< which restore points stay that are copied here; nullopt: as at their source
};

inline constexpr const char* standard_site_file = "/etc/clara/site.yaml";

struct Site {
    std::string file;                        ///< where it was read from, absolute; empty: built-in default
    std::vector<Pool> pools;                 ///< the first is the default
    std::vector<Network> networks;           ///< the first is the default
    std::vector<std::string> template_path;  ///< folders searched for --template NAME
    std::vector<std::string> ssh_keys;       ///< may log in as root on every guest
    std::string lxc_path = "/var/lib/lxc";
    std::string run_dir = "/run/clara";          ///< mounts and image mounts of this boot
    std::string libvirt_uri = "qemu:///system";  ///< where KVM guests live
    std::string hypervisor = "auto";             ///< auto | kvm | qemu: what their processors are
    unsigned idmap_base = 100000;                ///< first host uid of unprivileged guests
    unsigned idmap_count = 65536;
    SiteBackup backup;
    std::chrono::milliseconds arp_wait{25};  ///< silence after which an address counts as free

    const Network& network(
        const std::string& name) const;  ///< "" = default; Error{usage} with the known names
    const Pool& pool(const std::string& name_or_path) const;
};

/// Reads `file` ("" = /etc/clara/site.yaml if it is there). Throws Error{usage} with all problems of the
/// file.
Site read_site(const std::string& file = {});
Site default_site();

}  // namespace clara
