// LXC containers as the Executor sees them.
#pragma once
#include <string>

#include "clara/plan/drivers.hpp"
#include "clara/spec/site.hpp"

namespace clara {

/// Containers are started by Debian's own lxc-start: a small monitor of its own for each, and nothing of
/// ours stays (liblxc forks, which a process with threads must not).
class LxcDriver : public GuestDriver {
  public:
    explicit LxcDriver(const Site& site) : run_dir_(site.run_dir) {}

    void define(
        const DefineGuest& guest) override;  ///< Error{refused}: somebody else's container has the name
    void undefine(const UndefineGuest& guest) override;  ///< Error{refused}: not ours, or it runs
    bool running(const GuestRef& guest) override;
    void start(const StartGuest& guest) override;
    void stop(const StopGuest& guest) override;
    void restart_ioc(const RestartIoc& guest) override;
    void copy_disks(const CopyDisks& copy) override;

  private:
    void stop(const std::string& lxc_path, const std::string& name, std::chrono::milliseconds timeout);
    /// What the hook or, failing that, LXC said of a start since byte `from` of its log.
    std::string why_not_started(const std::string& folder, const std::string& name, std::size_t from);

    std::string run_dir_;
};

}  // namespace clara
