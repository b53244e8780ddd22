// Planning of clara-ioc-create: GuestSpec + Facts -> Plan. Pure.
#pragma once
#include <chrono>
#include <string>
#include <vector>

#include "clara/base/clock.hpp"
#include "clara/ops/allocate.hpp"
#include "clara/plan/plan.hpp"
#include "clara/spec/guest.hpp"
#include "clara/spec/site.hpp"

namespace clara {

struct CreateOptions {
    bool start = false;
    bool full = false;  ///< kvm: a copy of the image, not linked to it
    bool prove = true;  ///< with start: wait until the ports answer
    bool allow_duplicate_pv = false;
    std::chrono::milliseconds timeout{15000};
    std::chrono::milliseconds vm_timeout{120000};  ///< instead, where a system has to boot first
};

/// The spec of one guest to be made, as it comes from a template, with what only files can tell.
struct CreateItem {
    GuestSpec spec;
    std::string address = "auto";
    std::vector<std::string> pvs;  ///< the PVs its db files define
};

/// Every bridge that the guest needs, is ours to make and is not there, each once.
void add_bridges(Plan& plan, const GuestSpec& spec, const Site& site, const Facts& facts);

/// Error{refused} where the host says no (name, address, image, bridge, mount, room, libvirt, a PV that is
/// served already), Error{usage} where the request itself is wrong. The message says which and what to do.
Plan plan_create(const CreateItem& item, const Site& site, const Facts& facts, Allocator& allocator,
                 const CreateOptions& options, const Clock& clock, const Random& random);

}  // namespace clara
