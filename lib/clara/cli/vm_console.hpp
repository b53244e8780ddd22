// A VM's consoles: libvirt's streams need neither an address nor ssh.
#pragma once
#include <string>
#include <vector>

#include "clara/cli/session.hpp"
#include "clara/spec/guest.hpp"
#include "clara/spec/site.hpp"

namespace clara {

struct VmConsoleOptions {
    bool shell = false;                ///< the serial console, although it has an IOC
    bool log = false;                  ///< only watch what the serial console says
    bool force = false;                ///< throw out whoever has it
    std::vector<std::string> command;  ///< with shell: run by the guest agent
    std::string escape;                ///< as the user wrote it, e.g. ^]
    SessionOptions session;
};

/// Returns the tool's exit status: the command's own, where there is one. Error{busy}: somebody has the
/// console.
int vm_console(const Site& site, const GuestSpec& spec, const VmConsoleOptions& options);

}  // namespace clara
