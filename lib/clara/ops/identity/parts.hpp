// The parts of plan_identity(); each adds its changes and warnings.
#pragma once
#include <string>

#include "clara/ops/identity/identity.hpp"

namespace clara::identity {

/// What the source calls itself, as it is written: "build01" or "build01.site.org".
std::string old_name(const GuestTree& tree);
void plan_names(const GuestTree& tree, const Identity& identity, const std::string& old_address,
                IdentityPlan& plan);
void plan_keys(const GuestTree& tree, IdentityPlan& plan);
/// DHCP leases and client ids, and what else a copy must not share.
void plan_leases(const GuestTree& tree, IdentityPlan& plan);
/// NoCloud's files where cloud-init is inside.
void plan_cloud(const GuestTree& tree, const Identity& identity, IdentityPlan& plan);
/// Partitions by UUIDs in place of names such as /dev/sda2.
void plan_disks(const GuestTree& tree, const std::vector<Volume>& volumes, IdentityPlan& plan);
/// A login and the kernel's messages on the serial line.
void plan_console(const GuestTree& tree, IdentityPlan& plan);
/// Returns the address that the system had, empty where it is not known.
std::string plan_network(const GuestTree& tree, const Identity& identity, IdentityPlan& plan);

/// A file with lines that hold the kernel's command line.
struct BootFile {
    std::string path;
    std::vector<std::string> keys;  ///< first words of such lines
    bool starts_kernel = true;      ///< false: it leads to another one
    bool has_command_line(const std::string& line) const;
};
std::vector<BootFile> boot_files(const GuestTree& tree);

/// What one configuration file becomes.
struct NetworkEdit {
    bool found = false;       ///< it configures an interface; else nothing below counts
    std::string text;         ///< the new content
    std::string interface;    ///< the name it calls the interface by; empty: found by its MAC
    std::string old_address;  ///< without prefix; empty: DHCP
    std::vector<std::string> warnings;
};
NetworkEdit edit_interfaces(const std::string& text, const NewAddress& address);  ///< ifupdown, interfaces(5)
NetworkEdit edit_networkd(const std::string& text, const NewAddress& address);    ///< systemd.network(5)
/// NetworkManager's nm-settings-keyfile(5).
NetworkEdit edit_keyfile(const std::string& text, const NewAddress& address, const std::string& uuid);
NetworkEdit edit_ifcfg(const std::string& text, const NewAddress& address,
                       const std::string& uuid);                               ///< RHEL
NetworkEdit edit_netplan(const std::string& text, const NewAddress& address);  ///< netplan(5)
NetworkEdit edit_init_json(const std::string& text, const std::string& hostname, const NewAddress& address);

std::string new_keyfile(const NewAddress& address, const std::string& uuid);

}  // namespace clara::identity
