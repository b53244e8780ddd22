#include "clara/base/interrupt.hpp"

#include <signal.h>

#include <atomic>

#include "clara/base/error.hpp"

namespace clara {
namespace {

std::atomic<int> arrived{0};
static_assert(std::atomic<int>::is_always_lock_free);  // a handler may only use such

void note(int signal) {
    arrived = signal;
}

}  // namespace

void catch_interrupts() {
    struct sigaction action {};
    action.sa_handler = note;  // no SA_RESTART: waits end with EINTR and look at the flag
    sigemptyset(&action.sa_mask);
    for (int signal : {SIGINT, SIGTERM})
        if (::sigaction(signal, &action, nullptr) != 0) throw system_error("cannot catch signals", errno);
}

int interrupted() {
    return arrived;
}

void throw_if_interrupted() {
    if (int signal = arrived; signal == SIGINT)
        throw Error(ErrorKind::interrupted, "interrupted");
    else if (signal == SIGTERM)
        throw Error(ErrorKind::terminated, "terminated");
}

}  // namespace clara
