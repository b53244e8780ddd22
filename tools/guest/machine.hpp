// What a container's host does for it, and a virtual machine does itself.
#pragma once
#include <functional>
#include <optional>

#include "config.hpp"
#include "host_port.hpp"
#include "power_button.hpp"
#include "terminal.hpp"
#include "watchdog.hpp"

namespace guest {

/// True where nobody has mounted /proc: LXC does that for a container, a kernel does not for its first
/// program.
bool is_machine();

/// Device nodes, /proc, /sys and what else the kernel offers as a file system.
void mount_kernel_files();

/// Name, address, folders of the host, names of devices; what fails is complained about.
void set_up_machine(const Machine& machine);

/// SIGPWR, SIGINT (restart): the signals that end a guest, for shutdown(8), poweroff(8), halt(8) and
/// reboot(8), as whom this program may be called.
int ask_for_end(const char* name, int argc, char** argv);

/// After the last process has gone: nothing unwritten is left, then the machine is off or starts again.
[[noreturn]] void end_machine(bool restart);

/// What is listened to and fed while it runs.
class MachineWatch {
  public:
    MachineWatch(Loop& loop, Children& children, std::function<void()> power_off);
    /// Before the configuration is read, so that the shell is there to repair that.
    void start();
    void start(const Machine& machine);
    void stop() { shell_.stop(); }

  private:
    void link_ports();

    Loop& loop_;
    PowerButton button_;
    TerminalShell shell_;
    Watchdog watchdog_;
    std::optional<PortRelay> console_;
    int port_looks_ = 20;  ///< left to take: the host's ports come one by one while the machine boots
};

}  // namespace guest
