#include "terminal.hpp"

#include <signal.h>
#include <sys/stat.h>

#include "log.hpp"

namespace guest {

using namespace std::chrono_literals;

TerminalShell::TerminalShell(Loop& loop, Children& children, std::string terminal)
    : loop_(loop), children_(children), terminal_(std::move(terminal)) {}

void TerminalShell::start() {
    if (stopping_) return;
    struct stat st {};
    if (::stat(terminal_.c_str(), &st) != 0) return say("%s is not there: no shell on it", terminal_.c_str());
    Start start{{"/bin/sh", "-l"},
                {"PATH=/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin", "HOME=/root",
                 "USER=root", "TERM=vt100"},
                "/"};
    start.terminal = terminal_;
    try {
        pid_ = children_.start(start, [this](int) { later(); });
    } catch (const std::exception& e) {
        say("shell on %s: %s", terminal_.c_str(), e.what());
        later();
    }
}

void TerminalShell::stop() {
    stopping_ = true;
    if (pid_ > 0) ::kill(-pid_, SIGHUP);
}

void TerminalShell::later() {
    pid_ = 0;
    if (!stopping_) loop_.after(1000ms, [this] { start(); });
}

}  // namespace guest
