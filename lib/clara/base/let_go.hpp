// A process that hangs in a share cannot be ended, but it can let go of all that is not on that share.
#pragma once
#include <string>

#include "clara/base/handle.hpp"

namespace clara {

/// Made before a fork. The child's in_child() is called first; the parent's ask() makes the child give back
/// what others wait for, then kill itself: locks, sockets, the pipes that somebody reads our output from.
class LetGo {
  public:
    explicit LetGo(std::string share);

    /// A thread waits for ask(). What the child has inherited beside 0, 1 and 2 is closed: it belongs to
    /// whoever called us, and goes with the parent.
    void in_child();
    void ask();  ///< returns at once

  private:
    std::string share_;
    Fd read_, write_;
};

}  // namespace clara
