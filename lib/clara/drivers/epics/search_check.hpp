// That a guest answers searches for its PVs, over Channel Access and over PVAccess. Private to drivers/epics.
#pragma once
#include <set>

#include "clara/drivers/epics/check.hpp"
#include "clara/drivers/epics/pva.hpp"

namespace clara {

/// A UDP search that the guest answers with its standard TCP port for each of the names. Asked at the guest's
/// own address. The kernel hands that to one server only, the last one of the guest that started, so a guest
/// that stays silent is asked by broadcast as well, which all of its servers hear (and all other guests).
class SearchCheck : public Check {
  public:
    /// Of the protocol: where searches are heard, and where it serves.
    struct Ports {
        std::uint16_t udp, tcp;
    };
    SearchCheck(std::string short_name, std::string long_name, Ports ports, Ipv4 guest, Ipv4 broadcast,
                std::vector<std::string> pvs);
    void go_through(const std::string& interface) override;
    void attempt(ProbeTime now) override;
    void ready(ProbeTime now, short events) override;
    pollfd interest() const override { return {fd_.get(), POLLIN, 0}; }

  protected:
    virtual std::vector<std::string> question(bool broadcast) const = 0;
    /// Reads one datagram from the guest.
    virtual void hear(std::string_view datagram) = 0;
    /// A server of the guest has pvs[id], on that TCP port.
    void found(std::uint32_t id, std::uint16_t port);

    const Ports ports_;
    const Ipv4 guest_;
    const std::vector<std::string> pvs_;
    std::set<std::uint32_t> missing_;  ///< ids of those that no server has answered for
    std::set<std::uint32_t>
        denied_;  ///< ids that the server says it does not have (not yet, while it starts)
    Fd fd_;

  private:
    void ask(Ipv4 whom, bool broadcast);
    Ipv4 broadcast_;
    ProbeTime next_broadcast_ = ProbeTime::max();
};

class CaSearchCheck : public SearchCheck {
  public:
    CaSearchCheck(Ipv4 guest, Ipv4 broadcast, std::vector<std::string> pvs);

  protected:
    std::vector<std::string> question(bool broadcast) const override;
    void hear(std::string_view datagram) override;
};

/// Without PVs any answer of the guest will do that names TCP 5075.
class PvaSearchCheck : public SearchCheck {
  public:
    PvaSearchCheck(Ipv4 guest, Ipv4 broadcast, std::vector<std::string> pvs);

  protected:
    std::vector<std::string> question(bool broadcast) const override;
    void hear(std::string_view datagram) override;

  private:
    pva::Search search_;
};

}  // namespace clara
