// Starting and reaping processes.
#pragma once
#include <sys/types.h>

#include <functional>
#include <map>
#include <string>
#include <vector>

#include "accounts.hpp"

namespace guest {

struct Start {
    std::vector<std::string> argv;
    std::vector<std::string> env;
    std::string cwd = "/";
    Account account;        ///< root where not set
    int in = -1, out = -1;  ///< descriptors that become 0 and 1; -1: /dev/null
    int err = -1;           ///< becomes 2; -1: the same as out
    std::string terminal;   ///< instead of in, out and err: this one, and it is the session's
};

class Children {
  public:
    /// `ended` gets the wait status. Throws std::runtime_error where fork fails; a program that cannot be
    /// run ends with status 126 or 127 and says so on its standard error.
    pid_t start(const Start& start, std::function<void(int status)> ended);
    /// Reap all that ended, orphans included. False where no child is left.
    bool reap();

  private:
    std::map<pid_t, std::function<void(int)>> ended_;
};

/// "ended with status 3" or "was killed by signal 9"
std::string tell_status(int status);

}  // namespace guest
