#include "loop.hpp"

#include <algorithm>

namespace guest {

void Loop::watch(int fd, short events, std::function<void(short)> ready) {
    watches_[fd] = Watch{events, ++serial_, std::move(ready)};
}

void Loop::set_events(int fd, short events) {
    if (auto at = watches_.find(fd); at != watches_.end()) at->second.events = events;
}

void Loop::forget(int fd) {
    watches_.erase(fd);
}

Loop::Timer Loop::after(std::chrono::milliseconds delay, std::function<void()> done) {
    Timer timer{Time::now() + delay, ++serial_};
    timers_.emplace(timer, std::move(done));
    return timer;
}

void Loop::turn() {
    polled_.clear();
    for (const auto& [fd, watch] : watches_)
        if (watch.events) polled_.push_back({fd, watch.events, 0});
    const std::uint64_t before = serial_;

    int wait = -1;
    if (!timers_.empty()) {
        auto left = std::chrono::ceil<std::chrono::milliseconds>(timers_.begin()->first.first - Time::now());
        wait = static_cast<int>(std::clamp<std::int64_t>(left.count(), 0, 60000));
    }
    if (::poll(polled_.data(), polled_.size(), wait) < 0) return;  // EINTR, ENOMEM: the next turn tries again

    for (const auto& at : polled_) {
        if (!at.revents) continue;
        auto watch = watches_.find(at.fd);
        if (watch == watches_.end() || watch->second.serial > before) continue;
        auto ready = watch->second.ready;  // a copy: the callback may forget itself
        ready(at.revents);
    }
    while (!timers_.empty() && timers_.begin()->first.first <= Time::now()) {
        auto done = std::move(timers_.begin()->second);
        timers_.erase(timers_.begin());
        done();
    }
}

}  // namespace guest
