// Planning of restores: a restore point -> a guest. Pure.
#pragma once
#include <optional>
#include <string>

#include "clara/ops/allocate.hpp"
#include "clara/ops/facts.hpp"
#include "clara/ops/lifecycle.hpp"
#include "clara/plan/plan.hpp"
#include "clara/spec/guest.hpp"
#include "clara/spec/site.hpp"

namespace clara {

/// What a point holds beside its disks.
struct RestoreSource {
    std::string store;  ///< pool, absolute folder
    Point point;
    GuestSpec spec;
    std::string domain_xml;      ///< of a VM
    bool image_in_store = true;  ///< of a container, where the pool lacks it
};

struct RestoreOptions {
    bool start = false;
    std::uint64_t rate = 0;  ///< bytes a second, 0: as fast as it goes
    LifecycleOptions lifecycle;
    std::string domain_now;  ///< of a VM that is there: what libvirt is told again by the undo
};

/// As it was, under its own name and address, where there is no such guest (any more). Error{refused}: there
/// is one, its address is taken, or image, room or network are missing.
Plan plan_restore(const RestoreSource& source, const std::string& pool, const Site& site, const Facts& facts,
                  const RestoreOptions& options);

/// In the place of the guest, which is kept until the restored one is up.
Plan plan_restore_in_place(const RestoreSource& source, const GuestSpec& now, const Site& site,
                           const Facts& facts, const RestoreOptions& options);

/// A container under another name, with an address and ssh keys of its own. (Virtual machines are cloned from
/// their point: ops/clone.)
Plan plan_restore_as(const std::string& name, const RestoreSource& source, const std::string& pool,
                     const Site& site, const Facts& facts, Allocator& allocator, const Random& random,
                     const RestoreOptions& options);

}  // namespace clara
