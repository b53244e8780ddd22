// Containers in memory.
#pragma once
#include <map>
#include <set>
#include <vector>

#include "clara/base/error.hpp"
#include "clara/ops/lxc_config.hpp"
#include "clara/plan/drivers.hpp"

class FakeGuests : public clara::GuestDriver {
  public:
    std::map<std::string, std::string> configs;  ///< by name
    std::set<std::string> up;
    std::map<std::string, int> ioc_restarts;
    std::set<std::string> broken;  ///< names that do not start
    std::vector<clara::CopyDisks> copies;
    std::map<std::string, std::set<std::string>> states;  ///< kept of those that ran, by name
    std::vector<std::string> calls;  ///< of those that only virtual machines have, e.g. "wake a first"

    void define(const clara::DefineGuest& guest) override {
        refuse_foreign(guest.name, guest.pool);
        configs[guest.name] = guest.config;
    }
    void undefine(const clara::UndefineGuest& guest) override {
        refuse_foreign(guest.name, guest.pool);
        if (up.count(guest.name)) throw clara::Error(clara::ErrorKind::refused, guest.name + " is running");
        configs.erase(guest.name);
    }
    bool running(const clara::GuestRef& guest) override { return up.count(guest.name) != 0; }
    void start(const clara::StartGuest& guest) override {
        if (!configs.count(guest.name))
            throw clara::Error(clara::ErrorKind::refused, "no container " + guest.name);
        if (broken.count(guest.name))
            throw clara::Error(clara::ErrorKind::failed, "did not start " + guest.name);
        if (!up.insert(guest.name).second)
            throw clara::Error(clara::ErrorKind::refused, guest.name + " is running already");
    }
    void stop(const clara::StopGuest& guest) override { up.erase(guest.name); }
    void restart_ioc(const clara::RestartIoc& guest) override {
        if (!up.count(guest.name))
            throw clara::Error(clara::ErrorKind::refused, guest.name + " is not running");
        ++ioc_restarts[guest.name];
    }
    void copy_disks(const clara::CopyDisks& copy) override {
        if (copy.rate > 0) throw clara::Error(clara::ErrorKind::usage, "no limit while it runs");
        if (!configs.count(copy.domain))
            throw clara::Error(clara::ErrorKind::refused, "no domain " + copy.domain);
        if (!up.count(copy.domain)) throw clara::StaleFacts(copy.domain + " has stopped meanwhile");
        copies.push_back(copy);
    }
    std::string keep_state(const clara::KeepState& guest) override {
        calls.push_back("keep " + guest.name + " " + guest.snapshot);
        if (!guest.disks) return {};
        if (!up.count(guest.name)) throw clara::StaleFacts(guest.name + " has stopped meanwhile");
        states[guest.name].insert(guest.snapshot);
        return guest.memory ? "it stood still for 5ms" : "it ran on";
    }
    /// The twin knows no folders: what is to go, and what stays, is the test's affair.
    void drop_states(const clara::DropStates& guest) override { calls.push_back("drop " + guest.name); }
    void forget_backups(const clara::ForgetBackups& guest) override {
        calls.push_back("forget " + guest.name);
    }
    void wake(const clara::WakeGuest& guest) override {
        calls.push_back("wake " + guest.name + " " + guest.snapshot);
        start({guest.home, guest.name, guest.kind});
    }

  private:
    void refuse_foreign(const std::string& name, const std::string& pool) {
        auto found = configs.find(name);
        if (found == configs.end()) return;
        if (auto why = clara::why_foreign(found->second, clara::lxc_config_head(pool)); !why.empty())
            throw clara::Error(clara::ErrorKind::refused, name + " " + why);
    }
};
