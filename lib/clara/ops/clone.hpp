// Planning of clara-vm-clone: what is copied + Facts -> Plan. Pure.
#pragma once
#include <chrono>
#include <optional>
#include <string>
#include <vector>

#include "clara/base/clock.hpp"
#include "clara/ops/allocate.hpp"
#include "clara/ops/clone_source.hpp"
#include "clara/plan/plan.hpp"
#include "clara/spec/site.hpp"

namespace clara {

struct CloneOptions {
    std::string network;           ///< name in site.yaml; empty: that of the guest, else the site's first
    std::string address = "auto";  ///< with `exact`: what the source has
    std::optional<Mac> mac;        ///< of the first card; nullopt: a new one, with `exact` that of the source
    bool exact = false;            ///< nothing inside is changed; on an isolated network only
    bool linked = false;           ///< on the image that the source is linked to
    bool overlay = false;          ///< of a restore point: nothing is copied, the disks stand on it
    bool allow_duplicate_pv = false;
    bool start = false, prove = true;
    std::uint64_t rate = 0;  ///< bytes a second, 0: as fast as it goes
    std::chrono::milliseconds timeout{120000};
    // Hardware of a server that comes as a disk; of others only memory and CPUs are changed.
    std::string firmware, disk_bus, nic_model;  ///< empty: by what is on the disk
    int cpus = 0;                               ///< 0: as the source has, or 2
    std::uint64_t memory = 0;                   ///< bytes; 0: as the source has, or 2 GiB
};

struct ClonePlan {
    Plan plan;
    std::vector<std::string> warnings;  ///< what the copy has in common with its source, or has not
};

/// Error{refused}: name, address, room, network, libvirt or the source say no; Error{usage}: options that do
/// not go together; Error{busy}: the source runs elsewhere, or is just stopping.
ClonePlan plan_clone(const std::string& name, const std::string& pool, const CloneSource& source,
                     const Site& site, const Facts& facts, Allocator& allocator, const CloneOptions& options,
                     const Clock& clock, const Random& random);

/// Reading the disk of a machine elsewhere, which comes before the plan above.
Plan plan_fetch(const std::string& name, const std::string& pool, const std::string& url, std::uint64_t rate,
                const Facts& facts);

}  // namespace clara
