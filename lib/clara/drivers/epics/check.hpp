// One thing about a guest that must answer, looked at without blocking. Private to drivers/epics.
#pragma once
#include <poll.h>

#include <chrono>
#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "clara/base/net.hpp"
#include "clara/drivers/network/arp.hpp"

namespace clara {

using ProbeTime = std::chrono::steady_clock::time_point;

class Check {
  public:
    /// For the note ("ssh") and for the error ("ssh on TCP 22").
    Check(std::string short_name, std::string long_name)
        : name(std::move(short_name)), what(std::move(long_name)) {}
    virtual ~Check() = default;

    /// What it asks over IP goes through that interface: two networks of this host may have the same
    /// addresses.
    virtual void go_through(const std::string&) {}
    /// Try (again), once `due` is over.
    virtual void attempt(ProbeTime now) = 0;
    /// poll(2) reported the descriptor.
    virtual void ready(ProbeTime now, short events) = 0;
    /// What to wait for; fd -1: only for `due`.
    virtual pollfd interest() const = 0;

    const std::string name, what;
    std::string problem = "no answer";   ///< what was seen last
    std::optional<ProbeTime> answered;   ///< when it was well
    ProbeTime due = ProbeTime::min();    ///< of the next attempt
    ProbeTime begun = ProbeTime::max();  ///< of the first attempt

  protected:
    /// A guest that starts is asked every 2 ms, so that waiting adds next to nothing to the 30 to 100 ms of
    /// a start; one that takes seconds is asked less often, down to every 50 ms.
    void retry_later(ProbeTime now);
};

/// The guest's MAC answers for its address. Then this host's ARP cache is told, as it may know the address
/// of a guest that was destroyed a moment ago. `host` 0.0.0.0: this host is not in the guest's subnet.
class ArpCheck : public Check {
  public:
    ArpCheck(const std::string& bridge, Ipv4 guest, Mac mac, Ipv4 host);
    void attempt(ProbeTime now) override;
    void ready(ProbeTime now, short events) override;
    pollfd interest() const override { return {socket_.fd(), POLLIN, 0}; }

  private:
    std::string bridge_;
    ArpSocket socket_;
    Ipv4 guest_, host_;
    Mac mac_;
};

/// Judges what a server sent so far: nullopt = more is needed, "" = well, else the problem.
using Judge = std::function<std::optional<std::string>(std::string_view received)>;

/// What to say to all that a server sent so far; empty: nothing yet.
using Reply = std::function<std::string(std::string_view received)>;

/// A TCP connection that gets the right first words. Closed as soon as they are there.
class TcpCheck : public Check {
  public:
    /// Says `opening` at once, and once what `reply` finds.
    TcpCheck(std::string short_name, std::string long_name, Ipv4 guest, std::uint16_t port,
             std::string opening, Judge judge, Reply reply = {});
    void go_through(const std::string& interface) override { interface_ = interface; }
    void attempt(ProbeTime now) override;
    void ready(ProbeTime now, short events) override;
    pollfd interest() const override { return {fd_.get(), connected_ ? short{POLLIN} : short{POLLOUT}, 0}; }

  private:
    void through(ProbeTime now);
    void failed(ProbeTime now, const std::string& why);
    void say(ProbeTime now, const std::string& words);
    Ipv4 guest_;
    std::uint16_t port_;
    std::string interface_, opening_, received_;
    Judge judge_;
    Reply reply_;
    Fd fd_;
    bool connected_ = false, replied_ = false;
};

/// strerror(3) as the end of a sentence: "connection refused".
std::string lower_reason(int code);

Judge ssh_banner();
Judge procserv_banner();
Judge ca_greeting(const std::string& pv);  ///< the answer to ca::hello(pv)

}  // namespace clara
