// The ib700 watchdog by its two I/O ports, as Debian's cloud kernel has no driver for any watchdog.
#pragma once
#include "loop.hpp"

namespace guest {

/// Fed from the loop: what it watches is that PID 1 still goes round.
class Watchdog {
  public:
    explicit Watchdog(Loop& loop) : loop_(loop) {}
    ~Watchdog();
    Watchdog(const Watchdog&) = delete;
    void start();

  private:
    void feed();

    Loop& loop_;
    Loop::Timer next_{};
    bool armed_ = false;
};

}  // namespace guest
