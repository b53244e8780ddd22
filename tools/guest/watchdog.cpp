#include "watchdog.hpp"

#include <cerrno>
#include <cstring>
#if defined(__x86_64__) || defined(__i386__)
#include <sys/io.h>
#endif

#include "log.hpp"

namespace guest {

#if defined(__x86_64__) || defined(__i386__)
namespace {

// drivers/watchdog/ib700wdt.c: a write to 0x443 arms it, the value chooses the time (0 is 30 s); one to 0x441
// disarms it.
constexpr unsigned short disarm_port = 0x441, feed_port = 0x443;
constexpr unsigned char thirty_seconds = 0;
constexpr std::chrono::seconds between{10};

}  // namespace

void Watchdog::start() {
    if (::ioperm(disarm_port, 3, 1) != 0) return complain("watchdog: %s", std::strerror(errno));
    armed_ = true;
    feed();
}

void Watchdog::feed() {
    ::outb(thirty_seconds, feed_port);
    next_ = loop_.after(between, [this] { feed(); });
}

// Without an end in order it stays armed: what hangs on the way down is reset as well.
Watchdog::~Watchdog() {
    loop_.cancel(next_);
    if (armed_) ::outb(0, disarm_port);
}
#else
void Watchdog::start() {
    complain("watchdog: the ib700 is a thing of PCs");
}
void Watchdog::feed() {}
Watchdog::~Watchdog() = default;
#endif

}  // namespace guest
