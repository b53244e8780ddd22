// The little of liblxc that we use: its own idea of a container's init and how to end it.
#pragma once
#include <sys/types.h>

#include <memory>
#include <string>

#include "clara/base/handle.hpp"

struct lxc_container;

namespace clara {

class Container {
  public:
    /// Reads the container's config. Throws Error.
    Container(const std::string& lxc_path, const std::string& name);
    ~Container();

    pid_t init_pid();  ///< 0 where it does not run
    /// A descriptor that becomes readable when its init ends; empty where it does not run.
    Fd init_handle();
    bool stopping();     ///< its init has ended, LXC cleans up
    void ask_to_halt();  ///< its halt signal (SIGPWR, systemd's own), returns at once
    void kill();         ///< returns when LXC has cleaned up

  private:
    lxc_container* container_;
};

/// True while its monitor lives: it is starting, running or stopping.
bool is_monitored(const std::string& lxc_path, const std::string& name);

}  // namespace clara
