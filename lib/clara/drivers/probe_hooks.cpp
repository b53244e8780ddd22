#include "clara/drivers/probe_hooks.hpp"

#include "clara/base/error.hpp"
#include "clara/drivers/log_source.hpp"
#include "clara/drivers/lxc/states.hpp"

namespace clara {
namespace {

constexpr std::size_t log_lines = 10;

std::string end_of_console(const GuestSpec& spec) {
    return plain_log(log_tail(console_log(spec), console_service, log_lines));
}

/// Only adds to the report of a failure: why the log cannot be read is told in its place.
std::string end_of_log(const Site& site, const GuestSpec& spec) {
    try {
        // What a VM that did not come up has to say is on its console: its agent would not answer.
        if (spec.kind == "kvm") return end_of_console(spec);
        int init = lxc_init_pid(site.lxc_path, spec.name);
        if (init == 0) return "(the guest does not run any more)";
        return plain_log(
            log_tail(running_log(GuestRoot(init)), spec.ioc ? "ioc" : spec.daemon.name, log_lines));
    } catch (const Error& e) {
        return std::string("(") + e.what() + ")";
    }
}

}  // namespace

ProbeHooks probe_hooks(const Site& site) {
    return {[site](const GuestSpec& spec) { return end_of_log(site, spec); },
            [path = site.lxc_path](const GuestSpec& spec) {
                return spec.kind == "kvm" ? 0 : lxc_init_pid(path, spec.name);
            }};
}

}  // namespace clara
