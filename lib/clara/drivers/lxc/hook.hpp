// What LXC runs before a guest starts and after it stopped, whoever started it (lxc-start, lxc-autostart).
#pragma once
#include <string>

#include "clara/drivers/lxc/rootfs.hpp"

namespace clara {

struct HookCall {
    std::string pool, run_dir, guest;
    std::string config;  ///< site file, "" = the usual one
    IdRange ids;
    int monitor = 0;  ///< process id of the container's monitor
};

/// Clears what a killed run of this guest left, takes lease and lock, mounts. Error: nothing of it stays, and
/// the message lies in RUN/guests/NAME/error too, because LXC keeps what a hook says to itself.
void pre_start(const HookCall& call);

/// Unmounts, waits until the disk is free, gives the lease back; nothing where this run has no lease.
void post_stop(const HookCall& call);

}  // namespace clara
