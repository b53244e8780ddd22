// Talking to a guest's procServ from the host: through its unix socket, so neither network nor address is
// needed.
#pragma once
#include <chrono>
#include <optional>
#include <string>

#include "clara/base/handle.hpp"
#include "clara/ops/inside.hpp"

namespace clara {

/// What procServ's banner says (2.7 and 2.8).
struct ProcServStatus {
    std::string version;        ///< e.g. "2.7.0"
    std::string child;          ///< its name, e.g. "magnets"
    int child_pid = 0;          ///< as the guest counts; 0 while it is down
    std::string auto_restart;   ///< ON, OFF or ONESHOT
    std::string child_started;  ///< in procServ's own words; empty while it is down
    int users = 0;              ///< others at the console
};

/// nullopt as long as `text` does not hold a whole banner of the control port.
std::optional<ProcServStatus> parse_banner(const std::string& text);

/// A connection to a socket inside the guest whose init is `init_pid`. Symbolic links are followed inside the
/// guest's own root only. Error{failed} where nobody listens.
Fd connect_inside(int init_pid, const std::string& socket);

/// Restart the IOC, the guest runs on: "exit" at its shell, after `patience` ^X (SIGKILL); then waits until
/// procServ tells the new process, at most `timeout` in all. Returns its pid inside. `console` is connected
/// to procServ's control port, which greets with its banner.
int restart_ioc(Fd console, std::chrono::milliseconds timeout = std::chrono::seconds(30),
                std::chrono::milliseconds patience = std::chrono::seconds(5));
/// The same for the guest whose init is `init_pid`; another `socket` than its console's only in tests.
int restart_ioc(int init_pid, std::chrono::milliseconds timeout = std::chrono::seconds(30),
                std::chrono::milliseconds patience = std::chrono::seconds(5),
                const std::string& socket = inside::console_socket);

}  // namespace clara
