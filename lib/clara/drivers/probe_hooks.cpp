#include "clara/drivers/probe_hooks.hpp"

#include "clara/base/error.hpp"
#include "clara/drivers/guest_log.hpp"
#include "clara/drivers/lxc/states.hpp"

namespace clara {
namespace {

constexpr std::size_t log_lines = 10;

/// Only adds to the report of a failure: why the log cannot be read is told in its place.
std::string end_of_log(const std::string& lxc_path, const GuestSpec& spec) {
    try {
        int init = lxc_init_pid(lxc_path, spec.name);
        if (init == 0) return "(the guest does not run any more)";
        return plain_log(
            log_tail(running_log(GuestRoot(init)), spec.ioc ? "ioc" : spec.daemon.name, log_lines));
    } catch (const Error& e) {
        return std::string("(") + e.what() + ")";
    }
}

}  // namespace

ProbeHooks lxc_probe_hooks(const Site& site) {
    const std::string lxc_path = site.lxc_path;
    return {[lxc_path](const GuestSpec& spec) { return end_of_log(lxc_path, spec); },
            [lxc_path](const std::string& guest) { return lxc_init_pid(lxc_path, guest); }};
}

}  // namespace clara
