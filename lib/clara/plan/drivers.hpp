// The change half of every driver, as the Executor sees it. Implementations: lib/clara/drivers; in-memory
// twins for tests are named Fake... and pass the same contract suite.
#pragma once
#include <chrono>
#include <functional>
#include <string>
#include <vector>

#include "clara/base/error.hpp"
#include "clara/plan/action.hpp"

namespace clara {

/// Where guests live: folders, disks and the address book of a pool.
class StorageDriver {
  public:
    virtual ~StorageDriver() = default;
    virtual void clear_leftover(const ClearLeftover&) = 0;
    virtual void reserve(const ReserveAddress&) = 0;  ///< StaleFacts where name, address or MAC is taken
    virtual void release(const ReleaseAddress&) = 0;  ///< absence is fine
    virtual void make_disk(const MakeDisk&) = 0;      ///< Error{refused} where the guest exists
    /// Makes the folder, copies what does not run. Error{refused} where the guest exists or a disk is not
    /// what it is said to be, {busy} where one is in use.
    virtual void copy_disks(const CopyDisks&) = 0;
    virtual void fetch_disk(const FetchDisk&) = 0;
    virtual void drop_fetched(const DropFetched&) = 0;  ///< absence is fine
    /// What was left alone goes to log::warn.
    virtual void give_identity(const GiveIdentity&) = 0;
    virtual void fill_disk(const FillDisk&) = 0;
    virtual void write_spec(const WriteSpec&) = 0;
    virtual void publish(const PublishGuest&) = 0;  ///< Error{refused} where the guest exists by now
    virtual void remove_guest(const RemoveGuest&) = 0;
    virtual void remove_partial(const std::string& pool, const std::string& name) = 0;

    /// Returns the note for the report ("no write was blocked", empty of a guest that does not run).
    virtual std::string make_snapshot(
        const MakeSnapshot&) = 0;                               ///< Error{busy}: its disk is in use elsewhere
    virtual void publish_snapshot(const PublishSnapshot&) = 0;  ///< Error{failed}: what is in it is damaged
    /// Its partial folder too; absence is fine. What a disk in use has of it is left to drop_states().
    virtual void remove_snapshot(const RemoveSnapshot&) = 0;
    virtual void prepare_rollback(const PrepareRollback&) = 0;
    virtual void switch_disk(const SwitchDisk&) = 0;       ///< Error{busy}: its disk is in use
    virtual void switch_disk_back(const SwitchDisk&) = 0;  ///< and `kept` is gone again
};

/// What LXC does with containers and libvirt with domains; drivers/guests_by_kind.hpp puts them together.
class GuestDriver {
  public:
    virtual ~GuestDriver() = default;
    virtual void define(const DefineGuest&) = 0;
    virtual void undefine(const UndefineGuest&) = 0;  ///< absence is fine
    virtual bool running(const GuestRef&) = 0;
    virtual void start(
        const StartGuest&) = 0;  ///< returns when its init runs; Error with the hypervisor's own words
    virtual void stop(const StopGuest&) = 0;  ///< returns when it is gone and its disk is free
    virtual void restart_ioc(const RestartIoc&) = 0;
    /// The disks of a domain that runs, all of one moment, into the folder that the storage has made.
    /// Error{refused} for containers.
    virtual void copy_disks(const CopyDisks&) = 0;

    // What only virtual machines have.
    /// Returns the note for the report, e.g. "it stood still for 1.2s". StaleFacts: it has stopped meanwhile.
    virtual std::string keep_state(const KeepState& guest) { throw no_machine(guest.name); }
    virtual void drop_states(const DropStates& guest) { throw no_machine(guest.name); }  ///< stopped: nothing
    virtual void forget_backups(const ForgetBackups& guest) { throw no_machine(guest.name); }
    virtual void wake(const WakeGuest& guest) { throw no_machine(guest.name); }      ///< as start()
    virtual void absorb(const AbsorbPoint& guest) { throw no_machine(guest.name); }  ///< again: goes on

  private:
    static Error no_machine(const std::string& name) {
        return {ErrorKind::refused, name + " is no virtual machine"};
    }
};

class NetworkDriver {
  public:
    virtual ~NetworkDriver() = default;
    virtual bool ensure_bridge(const EnsureBridge&) = 0;  ///< true: it was made now
    virtual void remove_bridge(const std::string& bridge) = 0;
};

/// Looks at a guest from the outside, through its own address.
class ProbeDriver {
  public:
    virtual ~ProbeDriver() = default;
    /// Returns the note for the report ("ssh, procServ, CA in 1.03 s"), warnings through log::warn.
    /// Error{failed} names each port that did not answer in time.
    virtual std::string prove(const ProveGuest&, const std::function<bool()>& interrupted) = 0;
};

/// Restore points in a store: a pool's folder backups/.
class PointDriver {
  public:
    virtual ~PointDriver() = default;
    virtual void copy_image(const CopyImage&) = 0;  ///< nothing to do where it is there
    /// Returns the note for the report ("12 MiB changed, no write was blocked"). StaleFacts where the point's
    /// parent is not the newest good one any more; Error{busy} where another host is at it.
    virtual std::string make(const MakePoint&) = 0;
    virtual void discard(const MakePoint&) = 0;  ///< what make() has left, on a failure later on
    /// Error{partial} with all reasons, and the point in quarantine.
    virtual void prove(const ProvePoint&) = 0;
    virtual void publish(const PublishPoint&) = 0;
    /// Error{refused} for the last proven one, and for what is held.
    virtual void remove(const RemovePoint&) = 0;

    virtual void restore(
        const RestorePoint&) = 0;  ///< Error{refused} where the guest exists, or not all is there
    virtual void drop_restored(const RestorePoint&) = 0;
    virtual void swap(const SwapGuest&) = 0;  ///< Error{busy} where its disk is in use
    virtual void swap_back(const SwapGuest&) = 0;
    virtual void drop_replaced(const DropReplaced&) = 0;
    virtual void hold(const HoldPoint&) = 0;  ///< Error{refused}: a point to be held is not there
    /// Error{failed}: the point is damaged, or what has come is not what was sent.
    virtual void copy(const CopyPoint&) = 0;
};

struct Drivers {
    StorageDriver& storage;
    GuestDriver& guests;
    NetworkDriver& network;
    ProbeDriver& probe;
    PointDriver& points;
};

}  // namespace clara
