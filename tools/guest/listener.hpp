// inetd's way: one program a connection. It saves the memory of an sshd that only waits.
#pragma once
#include <optional>

#include "children.hpp"
#include "config.hpp"
#include "ports.hpp"
#include "supervisor.hpp"

namespace guest {

class InetListener {
  public:
    InetListener(Loop& loop, Children& children, const Listener& listener);
    /// Opens the port; where the file it needs is missing, makes that first.
    void start();
    void close() { port_.close(); }

  private:
    void make();
    void made(int status);
    void accepted(clara::Fd client, const sockaddr_in& peer);

    Loop& loop_;
    Children& children_;
    const Listener listener_;
    LogPipe errors_;
    Port port_;
    int running_ = 0;
};

}  // namespace guest
