// Planning of start, stop, restart and destroy. Pure. What each state leads to:
//
//            start        stop  restart          destroy (what runs only with force)
//   stopped  start, prove -     start, prove     delete
//   leftover start, prove stop  start, prove     stop, delete (stop clears a killed run's mounts)
//   starting prove        stop  stop, start ...  stop, delete
//   running  -            stop  stop, start ...  stop, delete
//   stopping busy         stop  stop, start ...  stop, delete
#pragma once
#include <chrono>
#include <string>

#include "clara/ops/facts.hpp"
#include "clara/plan/plan.hpp"
#include "clara/spec/guest.hpp"
#include "clara/spec/site.hpp"

namespace clara {

struct LifecycleOptions {
    bool prove = true;                                    ///< after a start: wait until the ports answer
    bool force = false;                                   ///< destroy what runs
    std::chrono::milliseconds answer_timeout{15000};      ///< for the proof
    std::chrono::milliseconds vm_answer_timeout{120000};  ///< instead, where a system has to boot first
    std::chrono::milliseconds stop_timeout{30000};        ///< then it is stopped by force
};

/// Where the definitions of that kind of guest live.
std::string home_of(const std::string& kind, const Site& site);
bool is_defined(const std::string& name, const std::string& kind, const Facts& facts);
/// Error{refused} where a plan about a KVM guest cannot be made.
void check_libvirt(const std::string& kind, const Facts& facts);

/// Bridge, definition, start and proof, where they are missing; the same refusals as plan_start().
std::vector<Action> start_actions(const GuestSpec& spec, const Site& site, const Facts& facts,
                                  const LifecycleOptions& options);

/// Error{refused}: image, bridge or a host path is missing; Error{busy}: another host runs it, or it is
/// stopping.
Plan plan_start(const GuestSpec& spec, const Site& site, const Facts& facts, const LifecycleOptions& options);

Plan plan_stop(const std::string& name, const std::string& pool, const Site& site, const Facts& facts,
               const LifecycleOptions& options);

/// The whole guest.
Plan plan_restart(const GuestSpec& spec, const Site& site, const Facts& facts,
                  const LifecycleOptions& options);

/// The IOC under procServ, the guest runs on. Error{refused} where it does not run or has no IOC.
Plan plan_soft_restart(const GuestSpec& spec, const Site& site, const Facts& facts,
                       const LifecycleOptions& options);

/// Needs no spec, so that a guest with a damaged guest.yaml can go, and finishes a destroy that was killed.
Plan plan_destroy(const std::string& name, const std::string& pool, const Site& site, const Facts& facts,
                  const LifecycleOptions& options);

}  // namespace clara
