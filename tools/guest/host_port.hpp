// A virtio port of the host, carried to a unix socket: procServ's console without ssh, port or address.
#pragma once
#include <chrono>
#include <map>
#include <string>

#include "clara/base/handle.hpp"
#include "config.hpp"
#include "loop.hpp"

namespace guest {

/// The host's virtio ports by name, e.g. org.clara.console.0 -> /dev/vport1p2.
std::map<std::string, std::string> host_ports();

/// Follows the host: while somebody has the other end open, there is a connection to the socket.
///   host away  --opens-->  host there, socket tried every 50 ms and more  --answers-->  both carried
///        ^-----------------closes-------------------+-----------------------------------------+
class PortRelay {
  public:
    PortRelay(Loop& loop, const HostPort& port);
    ~PortRelay();
    PortRelay(const PortRelay&) = delete;
    void open();

  private:
    struct Way {
        char data[4096];
        std::size_t begin = 0, end = 0;
        bool empty() const { return begin == end; }
    };
    enum class Moved { nothing, some, over };
    bool host_there() const;
    void port_ready();
    void connect();
    void disconnect();
    void pump();
    Moved move(int from, int to, Way& way);

    Loop& loop_;
    const HostPort what_;
    clara::Fd port_, edges_, socket_;
    Way up_, down_;
    Loop::Timer retry_{};
    std::chrono::milliseconds pause_{};
    bool complained_ = false;
};

}  // namespace guest
