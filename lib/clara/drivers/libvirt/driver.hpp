// KVM domains as the Executor sees them.
#pragma once
#include <chrono>
#include <map>
#include <memory>
#include <mutex>
#include <string>

#include "clara/drivers/libvirt/hypervisor.hpp"
#include "clara/plan/drivers.hpp"

namespace clara {

/// Acts on domains that bear our mark (ops/domain_mark.hpp) and refuses all others. `home` of an action is
/// libvirt's URI. What is defined is kept in the guest's folder as well (domain.xml): a host that takes the
/// pool over defines it from there. Connects when it is first needed, and again where libvirtd was started
/// anew meanwhile.
class LibvirtDriver : public GuestDriver {
  public:
    explicit LibvirtDriver(HypervisorOptions options = {}) : options_(options) {}

    void define(const DefineGuest& guest) override;
    void undefine(const UndefineGuest& guest) override;
    bool running(const GuestRef& guest) override;
    void start(const StartGuest& guest) override;
    void stop(const StopGuest& guest) override;
    void restart_ioc(const RestartIoc& guest) override;
    void copy_disks(const CopyDisks& copy) override;  ///< of any domain: nothing of it is changed
    std::string keep_state(const KeepState& guest) override;
    void drop_states(const DropStates& guest) override;
    void forget_backups(const ForgetBackups& guest) override;
    void wake(const WakeGuest& guest) override;
    void absorb(const AbsorbPoint& guest) override;

    std::shared_ptr<Hypervisor> connect(const std::string& uri);

  private:
    /// As connect, and with patience for a libvirtd that is just being restarted.
    std::shared_ptr<Hypervisor> reconnect(const std::string& uri);
    /// Waits until it does not run; false where the time is over.
    bool await_end(const std::string& uri, const std::string& name, std::chrono::milliseconds timeout,
                   bool press_again);

    /// Error with what the hook or libvirt said; nothing where libvirtd died and its successor runs the
    /// guest.
    void start_failed(Hypervisor& host, const GuestRef& guest, const Error& error);

    HypervisorOptions options_;
    std::mutex mutex_;
    std::map<std::string, std::shared_ptr<Hypervisor>> connections_;
};

}  // namespace clara
