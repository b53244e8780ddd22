// One poll loop: descriptors and timers, everything in one thread.
#pragma once
#include <poll.h>

#include <chrono>
#include <cstdint>
#include <functional>
#include <map>
#include <vector>

namespace guest {

class Loop {
  public:
    using Time = std::chrono::steady_clock;

    /// Call back when `fd` is ready for `events` (POLLIN, POLLOUT; errors always). 0: not looked at for now.
    void watch(int fd, short events, std::function<void(short)> ready);
    void set_events(int fd, short events);
    /// To be called before `fd` is closed.
    void forget(int fd);

    using Timer = std::pair<Time::time_point, std::uint64_t>;
    Timer after(std::chrono::milliseconds delay, std::function<void()> done);
    void cancel(const Timer& timer) { timers_.erase(timer); }

    /// Wait for something and do it. An exception from a callback goes to the caller; the rest waits for its
    /// turn.
    void turn();

  private:
    struct Watch {
        short events;
        std::uint64_t serial;  ///< tells a number that was closed and opened again in the same turn
        std::function<void(short)> ready;
    };
    std::map<int, Watch> watches_;
    std::map<Timer, std::function<void()>> timers_;
    std::vector<pollfd> polled_;
    std::uint64_t serial_ = 0;
};

}  // namespace guest
