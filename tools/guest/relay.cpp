#include "relay.hpp"

#include <sys/socket.h>
#include <sys/un.h>

#include <algorithm>
#include <cerrno>
#include <cstring>

#include "log.hpp"

namespace guest {
namespace {

using namespace std::chrono_literals;
constexpr auto patience = 5s;  // for a procServ that is not up yet
constexpr auto longest_pause = 50ms;

bool would_block() {
    return errno == EAGAIN || errno == EWOULDBLOCK || errno == EINTR;
}

bool allowed(const Relay& relay, const sockaddr_in& peer) {
    const std::uint32_t address = ntohl(peer.sin_addr.s_addr);
    return std::any_of(relay.allow.begin(), relay.allow.end(),
                       [&](const Net& net) { return (address & net.mask) == net.address; });
}

}  // namespace

RelayLink::RelayLink(Loop& loop, const Relay& relay, clara::Fd client, std::function<void()> over)
    : loop_(loop),
      relay_(relay),
      client_(std::move(client)),
      over_(std::move(over)),
      deadline_(Loop::Time::now() + patience) {
    retry_ = loop_.after(0ms, [this] { connect(); });
}

RelayLink::~RelayLink() {
    loop_.cancel(retry_);
    loop_.forget(client_.get());
    if (server_) loop_.forget(server_.get());
}

void RelayLink::connect() {
    sockaddr_un address{};
    address.sun_family = AF_UNIX;
    relay_.socket.copy(address.sun_path, sizeof address.sun_path - 1);
    server_.reset(::socket(AF_UNIX, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0));
    if (server_ && ::connect(server_.get(), reinterpret_cast<sockaddr*>(&address), sizeof address) == 0) {
        loop_.watch(client_.get(), POLLIN, [this](short) { ready(); });
        loop_.watch(server_.get(), POLLIN, [this](short) { ready(); });
        return;
    }
    const int why = errno;
    server_.reset();
    if (Loop::Time::now() < deadline_) {
        retry_ = loop_.after(pause_, [this] { connect(); });
        pause_ = std::min<std::chrono::milliseconds>(pause_ * 2, longest_pause);
        return;
    }
    const std::string line =
        "clara-init: " + relay_.socket + " does not answer: " + std::strerror(why) + "\r\n";
    ::send(client_.get(), line.data(), line.size(), MSG_NOSIGNAL);
    end();
}

bool RelayLink::move(int from, int to, Way& way) {
    if (!way.read_over && way.empty()) {
        ssize_t got = ::recv(from, way.data, sizeof way.data, 0);
        if (got < 0 && !would_block()) return false;
        way.begin = 0;
        way.end = got > 0 ? static_cast<std::size_t>(got) : 0;
        way.read_over = got == 0;
    }
    if (!way.empty()) {
        ssize_t put = ::send(to, way.data + way.begin, way.end - way.begin, MSG_NOSIGNAL);
        if (put < 0 && !would_block()) return false;
        if (put > 0) way.begin += static_cast<std::size_t>(put);
    }
    if (way.read_over && way.empty() && !way.shut) {
        ::shutdown(to, SHUT_WR);
        way.shut = true;
    }
    return true;
}

// The log is for reading: what its reader types is thrown away.
bool RelayLink::discard() {
    ssize_t got = ::recv(client_.get(), up_.data, sizeof up_.data, 0);
    return got > 0 || (got < 0 && would_block());
}

void RelayLink::ready() {
    const bool alive = (relay_.read_only ? discard() : move(client_.get(), server_.get(), up_)) &&
                       move(server_.get(), client_.get(), down_);
    if (!alive || (down_.read_over && down_.empty()))
        return end();  // procServ ended it: nothing more can come
    auto events = [](const Way& in, const Way& out) {
        return static_cast<short>((!in.read_over && in.empty() ? POLLIN : 0) | (out.empty() ? 0 : POLLOUT));
    };
    loop_.set_events(client_.get(), events(up_, down_));
    loop_.set_events(server_.get(), events(down_, up_));
}

void RelayLink::end() {
    auto over = std::move(over_);  // it destroys this
    over();
}

RelayPort::RelayPort(Loop& loop, const Relay& relay)
    : loop_(loop), relay_(relay), port_(loop, relay.port, [this](clara::Fd client, const sockaddr_in& peer) {
          accepted(std::move(client), peer);
      }) {}

void RelayPort::accepted(clara::Fd client, const sockaddr_in& peer) {
    const char* refusal = !allowed(relay_, peer)                          ? "not on the list"
                          : static_cast<int>(links_.size()) >= relay_.max ? "too many connections"
                                                                          : nullptr;
    if (refusal) return say("port %d: %s refused, %s", relay_.port, tell_peer(peer).c_str(), refusal);
    auto link = links_.emplace(links_.end());
    *link =
        std::make_unique<RelayLink>(loop_, relay_, std::move(client), [this, link] { links_.erase(link); });
}

}  // namespace guest
