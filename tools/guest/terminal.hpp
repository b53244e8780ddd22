// Root's shell on a virtual machine's serial console, for clara-console --shell and virsh console.
#pragma once
#include <string>

#include "children.hpp"
#include "loop.hpp"

namespace guest {

/// Started again whenever it ends. Who has the console is root on the host already: no password.
class TerminalShell {
  public:
    TerminalShell(Loop& loop, Children& children, std::string terminal);
    void start();
    /// Hangs up: an interactive shell is deaf to SIGTERM.
    void stop();

  private:
    void later();

    Loop& loop_;
    Children& children_;
    const std::string terminal_;
    pid_t pid_ = 0;  ///< 0 where it does not run
    bool stopping_ = false;
};

}  // namespace guest
