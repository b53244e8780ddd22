// Planning of restores: a restore point -> a guest. Pure.
#pragma once
#include <optional>
#include <string>

#include "clara/ops/allocate.hpp"
#include "clara/ops/clone_source.hpp"
#include "clara/ops/facts.hpp"
#include "clara/ops/lifecycle.hpp"
#include "clara/plan/plan.hpp"
#include "clara/spec/guest.hpp"
#include "clara/spec/site.hpp"

namespace clara {

/// What a point holds beside its disks.
struct RestoreSource {
    std::string store;  ///< pool, absolute folder
    std::string path;   ///< folder of the point
    Point point;
    GuestSpec spec;
    std::string domain_xml;      ///< of a VM
    bool image_in_store = true;  ///< of a container, where the pool lacks it
    std::string what() const { return "restore point " + point.info.name + " of " + spec.name; }
};

struct RestoreOptions {
    bool start = false;
    /// A virtual machine starts at once on disks that stand on the point, and takes over what is in it while
    /// it runs. A container is copied first: its disk is small.
    bool boot_now = false;
    bool allow_duplicate_pv = false;  ///< under another name: its IOC may serve what another one serves
    std::string network;              ///< under another name: where; empty: as it was
    bool exact = false;               ///< under another name, but nothing inside is changed, nor its address
    std::uint64_t rate = 0;           ///< bytes a second, 0: as fast as it goes
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
/// their point: plan_restore_vm_as.)
Plan plan_restore_as(const std::string& name, const RestoreSource& source, const std::string& pool,
                     const Site& site, const Facts& facts, Allocator& allocator, const Random& random,
                     const RestoreOptions& options);

/// What plan_clone() copies a virtual machine from: its definition names the files of the point. `fact` is
/// that of its first disk.
CloneSource clone_of(const RestoreSource& source, const SourceFact& fact);

/// HoldPoint::holder of a guest on that host.
std::string holder_of(const std::string& host, const std::string& pool, const std::string& guest);

/// Disks that stand on a point keep it until they have taken over all of it: `plan` makes them between the
/// two.
void hold_meanwhile(Plan& plan, const RestoreSource& source, const std::string& kind, const Site& site,
                    const Facts& facts, const RestoreOptions& options);

/// Of a guest whose disks still stand on a point, after a run that was killed: it is started where it does
/// not run, and takes over the rest; then what it has `replaced` goes.
Plan plan_absorb(const GuestSpec& spec, const RestoreSource& source, const Site& site, const Facts& facts,
                 const RestoreOptions& options, bool replaced);

}  // namespace clara
