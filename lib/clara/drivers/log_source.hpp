// Where a guest's logs are read, whichever kind it is.
#pragma once
#include <functional>
#include <optional>
#include <string>

#include "clara/drivers/guest_log.hpp"
#include "clara/spec/guest.hpp"
#include "clara/spec/site.hpp"

namespace clara {

inline constexpr const char* console_service = "console";  ///< what a VM has said on its serial console

struct LogSource {
    LogReader read;  ///< for log_tail()
    /// What was added since the last call, nullopt once the guest has ended; empty where it does not run.
    std::function<std::optional<std::string>()> more;
};

/// The service whose log people mean: the IOC, the daemon, else init, or the console of a VM that has its own
/// init.
std::string main_service(const GuestSpec& spec);

/// Error{refused} where that log cannot be read: it has an init of its own.
LogSource open_log(const Site& site, const GuestSpec& spec, const std::string& service);

/// The logs inside a VM that is off, from its disk, to which nothing is written. Error{busy} where somebody
/// else is using it.
LogReader stopped_vm_log(const GuestSpec& spec);

/// POOL/guests/NAME/console.log, which libvirt writes.
LogReader console_log(const GuestSpec& spec);

}  // namespace clara
