// POOL/guests/NAME/lease says who runs the guest. The lock on its disk is what keeps others out; the lease
// tells them whom to ask, and keeps a guest from another host's start where locks do not cross hosts.
#pragma once
#include <optional>
#include <string>

#include "clara/base/clock.hpp"

namespace clara {

struct Lease {
    std::string host;
    std::string boot_id;  ///< /proc/sys/kernel/random/boot_id: another one means that the owner is gone
    std::string run_id;   ///< 16 hex digits, new with each start
    std::string since;    ///< UTC, ISO 8601
    int pid = 0;          ///< the container's monitor
    /// "host a, process 412, since 2026-11-23T08:39:32Z"
    std::string text() const;
};

/// A lease of this host and boot for the process `pid`.
Lease new_lease(int pid, const Clock& clock, const Random& random);

/// In the guest's folder; nullopt where there is none, or only what a power cut left of one.
std::optional<Lease> read_lease(int guest_dir);
void write_lease(int guest_dir, const Lease& lease);
void remove_lease(int guest_dir);  ///< absence is fine

std::string this_host();
std::string this_boot();

}  // namespace clara
