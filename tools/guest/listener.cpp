#include "listener.hpp"

#include <fcntl.h>
#include <unistd.h>

#include <cerrno>
#include <cstdio>
#include <cstring>

namespace guest {
namespace {

using namespace std::chrono_literals;

// Bounds what a flood of connections costs: at most this many programs a second, the rest waits in the queue.
constexpr auto between_starts = 20ms;

std::string leaf(const std::string& path) {
    return path.substr(path.rfind('/') + 1);
}

const std::vector<std::string> plain_environment{
    "PATH=/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin"};

}  // namespace

InetListener::InetListener(Loop& loop, Children& children, const Listener& listener)
    : loop_(loop),
      children_(children),
      listener_(listener),
      errors_(loop, LogFile(leaf(listener.argv[0]), 256 << 10, 2)),
      port_(loop, listener.port,
            [this](clara::Fd client, const sockaddr_in& peer) { accepted(std::move(client), peer); }) {}

void InetListener::start() {
    if (listener_.needs.empty() || ::access(listener_.needs.c_str(), F_OK) == 0)
        port_.open();
    else
        make();
}

void InetListener::make() {
    if (listener_.make.empty()) {
        complain("port %d stays closed: %s is missing", listener_.port, listener_.needs.c_str());
        loop_.after(10s, [this] { start(); });
        return;
    }
    ::unlink((listener_.needs + ".new").c_str());
    Start start{listener_.make, plain_environment};
    start.out = errors_.write_end();
    try {
        children_.start(start, [this](int status) { made(status); });
    } catch (const std::exception& e) {
        complain("port %d stays closed: %s", listener_.port, e.what());
        loop_.after(10s, [this] { this->start(); });
    }
}

// Made under another name and renamed: a power cut leaves no half key behind that would close port 22 for
// ever.
void InetListener::made(int status) {
    const std::string fresh = listener_.needs + ".new";
    if (status == 0) {
        clara::Fd file(::open(fresh.c_str(), O_RDONLY | O_CLOEXEC));
        ::rename((fresh + ".pub").c_str(), (listener_.needs + ".pub").c_str());
        if (file && ::fsync(file.get()) == 0 && ::rename(fresh.c_str(), listener_.needs.c_str()) == 0)
            return port_.open();
        complain("cannot keep %s: %s", listener_.needs.c_str(), std::strerror(errno));
    } else {
        complain("%s %s: port %d stays closed", listener_.make[0].c_str(), tell_status(status).c_str(),
                 listener_.port);
    }
    loop_.after(10s, [this] { start(); });
}

void InetListener::accepted(clara::Fd client, const sockaddr_in& peer) {
    ::fcntl(client.get(), F_SETFL, 0);  // the program expects a socket that blocks
    Start start{listener_.argv, plain_environment};
    start.in = start.out = client.get();
    start.err = errors_.write_end();
    try {
        children_.start(start, [this](int) {
            if (running_-- == listener_.max) port_.pause(false);
        });
        if (++running_ >= listener_.max)
            say("port %d: %d connections, more must wait", listener_.port, running_);
    } catch (const std::exception& e) {
        complain("port %d, %s: %s", listener_.port, tell_peer(peer).c_str(), e.what());
    }
    port_.pause(true);
    loop_.after(between_starts, [this] { port_.pause(running_ >= listener_.max); });
}

}  // namespace guest
