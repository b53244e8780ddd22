// What planners know of the world: gathered by the read halves of the drivers, or from a YAML file in tests.
#pragma once
#include <cstdint>
#include <map>
#include <optional>
#include <set>
#include <string>
#include <vector>

#include "clara/base/net.hpp"
#include "clara/spec/image.hpp"
#include "clara/spec/snapshot.hpp"

namespace clara {

enum class GuestState {
    stopped,
    starting,
    running,
    stopping,
    leftover,
    unknown  ///< its hypervisor could not be asked
};
const char* to_string(GuestState state);

/// One guest as the pool's index knows it.
struct GuestFact {
    std::string name, kind, template_name, image, description, owner, network;
    Ipv4 address;
    Mac mac;
    bool autostart = false;
    bool privileged = false;
    bool has_ioc = false;
    GuestState state = GuestState::stopped;
    int init_pid = 0;                     ///< 0 where it does not run
    std::optional<double> uptime_s;       ///< while it runs
    std::optional<std::uint64_t> memory;  ///< bytes without page cache
    std::optional<double> cpu_s;          ///< CPU time used since its start, seconds
    std::string lease_holder;             ///< host, where another host has it
    std::string condition;  ///< of a domain, where it is out of the ordinary: "paused", "crashed"
    std::string problem;    ///< why its guest.yaml cannot be read; then only the name is known
    std::vector<std::string> tags = {};
};

/// An entry of the address book (a guest that exists, or one that is being made).
struct BookEntry {
    std::string name, network;
    Ipv4 address;
    Mac mac;
    std::string kind = "lxc";
};

struct PathFact {
    enum class State { ok, absent, stale, hung } state = State::ok;
};

struct SnapshotFact {
    SnapshotInfo info;
    /// Bytes that its removal would free; nullopt where that cannot be told (a snapshot within a qcow2).
    std::optional<std::uint64_t> exclusive;
    std::string problem;  ///< why it cannot be used; then only the name is known
};

/// What a guest keeps in the pool.
struct DiskFact {
    std::vector<SnapshotFact> snapshots;  ///< the oldest first
    std::uint64_t taken = 0;              ///< bytes its disk takes; a copy needs as many,
    bool shares = false;                  ///< unless the pool's file system can share blocks
};

struct Facts {
    std::string hostname;
    int cgroup_version = 1;
    bool apparmor = false;
    std::map<std::string, GuestFact> guests;
    std::vector<BookEntry> book;
    std::vector<ImageInfo> images;
    std::set<std::string> broken_images;  ///< ids whose image.yaml and file do not fit
    std::set<std::string> bridges;        ///< that exist
    std::set<std::string> leftovers;      ///< names with a partial folder nobody works on
    std::set<std::string> lxc_defined;    ///< names in LXC's path, ours or not
    /// libvirt's domains, ours or not; only asked for where the pool has KVM guests or the plan is about one
    std::set<std::string> kvm_defined;
    std::map<std::string, std::string> domain_xml;  ///< of KVM guests that are not defined: POOL's own copy
    std::string libvirt_problem,
        libvirt_hint;                       ///< why libvirt could not be asked; empty: it was, or need not
    std::map<std::string, PathFact> paths;  ///< host paths the specs name
    std::map<Ipv4, Mac> on_wire;            ///< addresses that answered the ARP probe
    std::map<std::string, std::string> pv_served;  ///< PV -> "10.87.0.12:5064" that serves it already
    std::map<std::string, DiskFact> disks;         ///< of the guests that were asked for
    std::uint64_t pool_free = 0;                   ///< bytes
    bool direct_io = true;                         ///< the pool's file system can bypass the host's cache
    std::string hook;                              ///< absolute path of clara-lxc-hook
    std::string share_helper;                      ///< absolute path of clara-virtiofsd
    std::string accelerator;                       ///< kvm | qemu, for a new domain; empty: not asked for
};

/// lxc or kvm: of a guest whose guest.yaml cannot be read, or of a leftover, the address book knows it.
std::string kind_of(const std::string& name, const Facts& facts);

/// The guest's facts; Error{usage} with the near name where there is none.
const GuestFact& known_guest(const std::string& name, const Facts& facts);

/// Error{busy} where another host runs it.
void check_owner(const GuestFact& guest);

/// What it keeps; empty where the facts do not say.
const DiskFact& disk_of(const std::string& name, const Facts& facts);

/// Names of what rollbacks have replaced and kept until the guest comes up again.
std::vector<std::string> kept_by_rollbacks(const std::string& name, const Facts& facts);

}  // namespace clara
