// Both kinds of guest behind one GuestDriver.
#pragma once
#include "clara/base/error.hpp"
#include "clara/plan/drivers.hpp"

namespace clara {

/// Hands each action to the driver of its kind.
class GuestsByKind : public GuestDriver {
  public:
    GuestsByKind(GuestDriver& lxc, GuestDriver& kvm) : lxc_(lxc), kvm_(kvm) {}

    void define(const DefineGuest& guest) override { of(guest.kind).define(guest); }
    void undefine(const UndefineGuest& guest) override { of(guest.kind).undefine(guest); }
    bool running(const GuestRef& guest) override { return of(guest.kind).running(guest); }
    void start(const StartGuest& guest) override { of(guest.kind).start(guest); }
    void stop(const StopGuest& guest) override { of(guest.kind).stop(guest); }
    void restart_ioc(const RestartIoc& guest) override { of(guest.kind).restart_ioc(guest); }
    void copy_disks(const CopyDisks& copy) override { kvm_.copy_disks(copy); }  // there are no other copies
    std::string keep_state(const KeepState& guest) override { return of(guest.kind).keep_state(guest); }
    void drop_states(const DropStates& guest) override { of(guest.kind).drop_states(guest); }
    void forget_backups(const ForgetBackups& guest) override { of(guest.kind).forget_backups(guest); }
    void wake(const WakeGuest& guest) override { of(guest.kind).wake(guest); }
    void absorb(const AbsorbPoint& guest) override { of(guest.kind).absorb(guest); }

  private:
    GuestDriver& of(const std::string& kind) {
        if (kind == "lxc") return lxc_;
        if (kind == "kvm") return kvm_;
        throw Error(ErrorKind::failed, "there is no guest of kind '" + kind + "'");
    }

    GuestDriver& lxc_;
    GuestDriver& kvm_;
};

}  // namespace clara
