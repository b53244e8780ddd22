#include <sys/socket.h>

#include <cerrno>
#include <mutex>
#include <thread>

#include "clara/drivers/libvirt/module/api.hpp"

namespace clara::libvirt {
namespace {

constexpr int seconds_between_signs = 5, missed_signs = 3;  // of life, of libvirtd
constexpr std::size_t most_held = 64 << 10;                 // bytes on their way in one direction

/// Runs for as long as the process does.
void start_event_loop() {
    static std::once_flag once;
    std::call_once(once, [] {
        if (::virEventRegisterDefaultImpl() != 0) throw last_error("cannot watch libvirt's events");
        std::thread([] {
            while (::virEventRunDefaultImpl() == 0) continue;
        }).detach();
    });
}

/// Lives in the event loop's thread, which alone calls it once begin() is through; ends itself.
class Carrier {
  public:
    Carrier(Connection connection, Stream stream, Fd socket)
        : connection_(std::move(connection)), stream_(std::move(stream)), socket_(std::move(socket)) {}

    /// On success the event loop owns it.
    static void begin(std::unique_ptr<Carrier> carrier) {
        Carrier* const it = carrier.get();
        // The timer is the first event, so that everything else happens in the loop's thread; off until that
        // can see its number.
        it->timer_ = ::virEventAddTimeout(-1, on_timer, it, nullptr);
        if (it->timer_ < 0) throw last_error("cannot carry a stream");
        carrier.release();
        ::virEventUpdateTimeout(it->timer_, 0);
    }

  private:
    static void on_timer(int, void* self) {
        auto* carrier = static_cast<Carrier*>(self);
        if (carrier->ended_) {
            ::virEventRemoveTimeout(carrier->timer_);
            delete carrier;
            return;
        }
        ::virEventUpdateTimeout(carrier->timer_, -1);
        carrier->watch_ = ::virEventAddHandle(carrier->socket_.get(), VIR_EVENT_HANDLE_READABLE, on_socket,
                                              carrier, nullptr);
        const int added = ::virStreamEventAddCallback(carrier->stream_.get(), VIR_STREAM_EVENT_READABLE,
                                                      on_stream, carrier, nullptr);
        if (carrier->watch_ < 0 || added != 0) carrier->end();
    }

    static void on_socket(int, int, int events, void* self) {
        auto* carrier = static_cast<Carrier*>(self);
        if (events & VIR_EVENT_HANDLE_WRITABLE) carrier->say();
        if (events & (VIR_EVENT_HANDLE_READABLE | VIR_EVENT_HANDLE_HANGUP)) carrier->hear();
        carrier->want();
    }

    static void on_stream(virStreamPtr, int events, void* self) {
        auto* carrier = static_cast<Carrier*>(self);
        if (events & VIR_STREAM_EVENT_WRITABLE) carrier->send();
        if (events & (VIR_STREAM_EVENT_READABLE | VIR_STREAM_EVENT_HANGUP)) carrier->receive();
        if (events & VIR_STREAM_EVENT_ERROR) carrier->over_ = true;
        carrier->want();
    }

    /// Guest -> us.
    void receive() {
        char buffer[8192];
        while (!over_ && from_guest_.size() < most_held) {
            const int got = ::virStreamRecv(stream_.get(), buffer, sizeof buffer);
            if (got == -2) break;  // nothing for now
            if (got <= 0)
                over_ = true;
            else
                from_guest_.append(buffer, static_cast<std::size_t>(got));
        }
        say();
    }
    /// To our reader.
    void say() {
        while (!from_guest_.empty()) {
            const ssize_t put =
                ::send(socket_.get(), from_guest_.data(), from_guest_.size(), MSG_NOSIGNAL | MSG_DONTWAIT);
            if (put < 0 && errno == EINTR) continue;
            if (put < 0 && errno == EAGAIN) return;
            if (put < 0) return leave();
            from_guest_.erase(0, static_cast<std::size_t>(put));
        }
    }
    /// From our writer.
    void hear() {
        char buffer[8192];
        while (to_guest_.size() < most_held) {
            const ssize_t got = ::recv(socket_.get(), buffer, sizeof buffer, MSG_DONTWAIT);
            if (got < 0 && errno == EINTR) continue;
            if (got < 0 && errno == EAGAIN) break;
            if (got <= 0) return leave();
            to_guest_.append(buffer, static_cast<std::size_t>(got));
        }
        send();
    }
    /// Us -> guest.
    void send() {
        while (!over_ && !to_guest_.empty()) {
            const int put = ::virStreamSend(stream_.get(), to_guest_.data(), to_guest_.size());
            if (put == -2) return;
            if (put < 0)
                over_ = true;
            else
                to_guest_.erase(0, static_cast<std::size_t>(put));
        }
    }
    void leave() {
        from_guest_.clear();
        over_ = true;
    }

    /// Which events are of use now; the end where there is nothing left to do.
    void want() {
        if (ended_) return;
        if (over_ && from_guest_.empty()) return end();
        ::virEventUpdateHandle(watch_, (to_guest_.size() < most_held ? VIR_EVENT_HANDLE_READABLE : 0) |
                                           (from_guest_.empty() ? 0 : VIR_EVENT_HANDLE_WRITABLE));
        int events = from_guest_.size() < most_held ? VIR_STREAM_EVENT_READABLE : 0;
        if (!to_guest_.empty()) events |= VIR_STREAM_EVENT_WRITABLE;
        ::virStreamEventUpdateCallback(stream_.get(), over_ ? 0 : events);
    }

    void end() {
        if (ended_) return;
        ended_ = true;
        if (watch_ >= 0) ::virEventRemoveHandle(watch_);
        ::virStreamEventRemoveCallback(stream_.get());
        ::virStreamAbort(stream_.get());
        socket_.reset();
        ::virEventUpdateTimeout(timer_, 0);  // gone when no callback is under way
    }

    Connection connection_;
    Stream stream_;
    Fd socket_;
    std::string to_guest_, from_guest_;
    int watch_ = -1, timer_ = -1;
    bool over_ = false, ended_ = false;
};

}  // namespace

Connection open_watched_connection(const std::string& uri) {
    start_event_loop();
    Connection connection = open_connection(uri, false);
    if (::virConnectSetKeepAlive(connection.get(), seconds_between_signs, missed_signs) < 0)
        throw last_error("cannot watch the connection to libvirt", connection.get());
    return connection;
}

Fd carry(Connection connection, Stream stream) {
    int ends[2];
    if (::socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, ends) != 0)
        throw system_error("cannot make a pair of sockets", errno);
    Fd theirs(ends[0]), ours(ends[1]);
    Carrier::begin(std::make_unique<Carrier>(std::move(connection), std::move(stream), std::move(ours)));
    return theirs;
}

}  // namespace clara::libvirt
