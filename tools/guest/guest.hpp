// The whole of a guest's inside, from boot to power off.
#pragma once
#include <list>
#include <memory>
#include <optional>

#include "children.hpp"
#include "config.hpp"
#include "ioc_stop.hpp"
#include "listener.hpp"
#include "machine.hpp"
#include "relay.hpp"
#include "supervisor.hpp"

namespace guest {

class Guest {
  public:
    Guest();
    /// Brings everything up. Never throws: what fails is complained about and the rest goes on.
    void boot(const std::string& config_file);
    /// Runs until a signal asks for the end and all processes are gone; returns that signal.
    int run();
    bool machine() const { return machine_.has_value(); }

  private:
    void signalled();
    void stop(int signal);
    void ioc_stopped();
    void terminate();

    Loop loop_;
    Children children_;
    clara::Fd signals_;
    std::list<Supervisor> services_;
    std::list<RelayPort> relays_;
    std::list<InetListener> listeners_;
    std::list<IocStop> ioc_stops_;
    std::optional<MachineWatch> machine_;  ///< set where this is a machine's first program, not a container's
    std::size_t iocs_left_ = 0;
    std::chrono::milliseconds grace_{1000};
    int stopping_ = 0;         ///< the signal
    bool terminated_ = false;  ///< SIGTERM is out
    bool gone_ = false;        ///< no child is left
};

}  // namespace guest
