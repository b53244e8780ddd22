// Which containers run, and what they use: from the kernel's own files, for 500 of them in one go.
#pragma once
#include <cstdint>
#include <map>
#include <optional>
#include <string>

#include "clara/ops/facts.hpp"
#include "clara/spec/site.hpp"

namespace clara {

struct LxcState {
    GuestState state = GuestState::stopped;  ///< never `stopped` in lxc_states()
    int init_pid = 0;                        ///< 0 while it starts or stops
    std::optional<double> uptime_s;
    std::optional<double> cpu_s;          ///< CPU time used since its start, seconds
    std::optional<std::uint64_t> memory;  ///< bytes: its processes and the kernel's for them, no page cache
};

/// Every container that is not simply stopped. `leftover`: nothing runs, but its disk is still mounted.
std::map<std::string, LxcState> lxc_states(const Site& site);

/// The process 1 of a running container as the host sees it, 0 where there is none.
int lxc_init_pid(const std::string& lxc_path, const std::string& name);

}  // namespace clara
