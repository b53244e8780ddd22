// TCP port to unix socket: Debian's procServ binds loopback only, so 7001 and 7002 are carried to it from
// here.
#pragma once
#include <list>
#include <memory>

#include "config.hpp"
#include "ports.hpp"

namespace guest {

/// One connection. Both ways are bounded: what the one side does not take is not read from the other.
class RelayLink {
  public:
    RelayLink(Loop& loop, const Relay& relay, clara::Fd client, std::function<void()> over);
    ~RelayLink();
    RelayLink(const RelayLink&) = delete;

  private:
    struct Way {
        char data[8192];
        std::size_t begin = 0, end = 0;
        bool read_over = false, shut = false;
        bool empty() const { return begin == end; }
    };
    void connect();
    void ready();
    bool move(int from, int to, Way& way);  ///< false: the connection is over
    bool discard();
    void end();

    Loop& loop_;
    const Relay& relay_;
    clara::Fd client_, server_;
    std::function<void()> over_;
    Way up_, down_;
    Loop::Time::time_point deadline_;
    std::chrono::milliseconds pause_{2};
    Loop::Timer retry_{};
};

class RelayPort {
  public:
    RelayPort(Loop& loop, const Relay& relay);
    void open() { port_.open(); }
    void close() { port_.close(); }

  private:
    void accepted(clara::Fd client, const sockaddr_in& peer);

    Loop& loop_;
    const Relay relay_;
    std::list<std::unique_ptr<RelayLink>> links_;
    Port port_;
};

}  // namespace guest
