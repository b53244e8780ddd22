// Listening TCP sockets.
#pragma once
#include <netinet/in.h>

#include <functional>
#include <string>

#include "clara/base/handle.hpp"
#include "loop.hpp"

namespace guest {

/// Listens on 0.0.0.0; tried again each second while somebody else has the port. Accepted sockets do not
/// block.
class Port {
  public:
    Port(Loop& loop, int port, std::function<void(clara::Fd, const sockaddr_in& peer)> accepted);
    ~Port() { close(); }
    void open();
    void close();
    /// Leave further connections in the kernel's queue for the time being.
    void pause(bool paused);

  private:
    void ready();

    Loop& loop_;
    const int port_;
    std::function<void(clara::Fd, const sockaddr_in&)> accepted_;
    clara::Fd fd_;
    bool closed_ = true, complained_ = false;
};

std::string tell_peer(const sockaddr_in& peer);

}  // namespace guest
