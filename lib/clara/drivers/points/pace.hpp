// No faster than was asked for.
#pragma once
#include <algorithm>
#include <chrono>
#include <cstdint>
#include <mutex>
#include <thread>

namespace clara::points {

/// Reading no faster than was asked for, by all threads together.
class Pace {
  public:
    explicit Pace(std::uint64_t rate) : rate_(rate) {}
    void wait(std::uint64_t bytes) {
        if (rate_ == 0) return;
        std::chrono::steady_clock::time_point until;
        {
            std::lock_guard guard(mutex_);
            until = next_ = std::max(next_, std::chrono::steady_clock::now()) +
                            std::chrono::microseconds(bytes * 1000000 / rate_);
        }
        std::this_thread::sleep_until(until);
    }

  private:
    std::uint64_t rate_;
    std::mutex mutex_;
    std::chrono::steady_clock::time_point next_ = std::chrono::steady_clock::now();
};

}  // namespace clara::points
