// What a plan is made of. An action is data: it can be printed, compared, and run by the Executor.
#pragma once
#include <chrono>
#include <map>
#include <optional>
#include <string>
#include <variant>
#include <vector>

#include "clara/spec/guest.hpp"
#include "clara/spec/identity.hpp"
#include "clara/spec/point.hpp"
#include "clara/spec/snapshot.hpp"

namespace clara {

// Actions on a guest say of which `kind` it is (lxc, kvm) and where that kind's definitions live, `home`:
// LXC's folder (/var/lib/lxc) or libvirt's URI (qemu:///system).

/// A guest as its hypervisor knows it.
struct GuestRef {
    std::string home, name;
    std::string kind = "lxc";
};

/// Remove what an interrupted create left: its partial folder and its place in the address book.
struct ClearLeftover {
    std::string pool, name;
};
/// Make the managed bridge (address with the broadcast, up) where it is missing.
struct EnsureBridge {
    std::string bridge;
    Subnet address;
    /// Of an isolated network, which repeats addresses of others: this host has no route to it, only who
    /// names the bridge reaches it.
    bool isolated = false;
};
/// A bridge that nothing is plugged into any more; absence is fine.
struct RemoveBridge {
    std::string bridge;
};
/// Enter name, address and MAC into the pool's address book. StaleFacts where one is taken.
struct ReserveAddress {
    std::string pool, name, network;
    Ipv4 address;
    Mac mac;
    std::string kind = "lxc";  ///< tells an interrupted destroy what to remove
    bool repeats = false;      ///< an exact copy on an isolated network: its MAC is that of a guest elsewhere
};
struct ReleaseAddress {
    std::string pool, name;
};
/// POOL/guests/.NAME.partial with the guest's disk. lxc: disk.raw, an empty ext4 of that size; kvm:
/// disk.qcow2 linked to that of the image, of that size or, where larger, the image's.
struct MakeDisk {
    std::string pool, name;
    std::uint64_t size = 0;  ///< bytes
    std::string kind = "lxc";
    std::string image;                ///< kvm: NAME@DIGEST; empty: an empty disk
    bool full = false;                ///< kvm: a copy of it, not linked
    std::vector<std::uint64_t> more;  ///< kvm: sizes of further empty disks, disk2.qcow2 and so on
};
/// One disk of a copy.
struct DiskCopy {
    std::string source;    ///< file or block device
    std::string format;    ///< qcow2, raw, vmdk, vdi; never guessed
    std::string file;      ///< what it becomes in the guest's folder: disk.qcow2, disk2.qcow2
    std::string target;    ///< of a domain that runs: which of its disks, e.g. vda
    std::string image;     ///< NAME@DIGEST: linked to it, and only what differs is copied; empty: all of it
    bool foreign = false;  ///< not made by us: it is looked at with care before it is opened
    bool fetched = false;  ///< it is what FetchDisk has fetched and becomes the guest's as it is
    bool overlay = false;  ///< of a restore point: nothing is copied, the new disk stands on it
};
/// POOL/guests/.NAME.partial with the copies.
struct CopyDisks {
    std::string pool, name;
    std::string from;  ///< of what, for people: "guest bpm01", "/dev/sdb"
    std::vector<DiskCopy> disks;
    std::string nvram;       ///< file that becomes nvram.fd; empty: none
    std::string home;        ///< libvirt's URI where the domain below is
    std::string domain;      ///< it runs: its disks are copied by libvirt's backup job; empty: nothing runs
    std::uint64_t rate = 0;  ///< bytes a second, 0: as fast as it goes
};
/// A disk of another machine into the pool, POOL/incoming/NAME.qcow2. What has come is kept when it fails:
/// the next one goes on from there.
struct FetchDisk {
    std::string pool, name;
    std::string url;         ///< ssh://root@host/dev/sda
    std::uint64_t rate = 0;  ///< bytes a second, 0: as fast as it goes
};
/// What FetchDisk has left is removed: the guest has it, or nobody wants it.
struct DropFetched {
    std::string pool, name;
};
/// A copy in its partial folder becomes a server of its own: names, keys, addresses; a login on its serial
/// console and disks found by UUID. A system that is not known is left alone, with a warning.
struct GiveIdentity {
    std::string pool, name;
    Identity identity;
};
/// Write files into the (unmounted) disk; owners are ids inside the guest. lxc: its upper layer; kvm: the
/// root file system on it.
struct FillDisk {
    std::string pool, name;
    unsigned idmap_base = 0;  ///< 0: privileged
    std::vector<PlacedFile> files;
    std::vector<std::string> folders;  ///< "PATH OWNER", made inside, e.g. "/var/autosave ioc"
    std::string image;  ///< NAME@DIGEST: parent folders look as they do there; empty: root's, 0755
    std::map<std::string, uid_t> users;  ///< beside root (0) and ioc (1000)
    std::string kind = "lxc";
};
/// guest.yaml into the partial folder.
struct WriteSpec {
    GuestSpec spec;
};
/// The guest as its hypervisor wants it told: LXC's config file (HOME/NAME/config), or domain XML.
struct DefineGuest {
    std::string home, name, config, pool;
    std::string kind = "lxc";
    bool autostart = false;  ///< of a domain; a container's config says so itself
    std::string before;      ///< what it is told again by the undo; empty: it was not defined
};
struct UndefineGuest {
    std::string home, name, pool;
    std::string kind = "lxc";
};
/// .NAME.partial becomes NAME: from here on the guest exists.
struct PublishGuest {
    std::string pool, name;
};
struct StartGuest {
    std::string home, name;
    std::string kind = "lxc";
};
/// A start that goes on where the snapshot's memory was; its disks are those of the snapshot already.
struct WakeGuest {
    std::string home, pool, name, snapshot;
    std::string kind = "kvm";
};
/// Wait until the guest's own address answers on its ports.
struct ProveGuest {
    GuestSpec spec;
    std::vector<std::string> pvs;
    std::chrono::milliseconds timeout{10000};
};
/// Clean stop; after `timeout` by force.
struct StopGuest {
    std::string home, name;
    std::chrono::milliseconds timeout{30000};
    std::string kind = "lxc";
};
/// Restart the IOC under procServ; the guest runs on.
struct RestartIoc {
    std::string home, name;
    std::string kind = "lxc";
};
/// The guest's folder is renamed out of sight, then removed.
struct RemoveGuest {
    std::string pool, name;
};
/// The guest's disk and guest.yaml as they are now, as .SNAPSHOT.partial among its snapshots.
struct MakeSnapshot {
    std::string pool, name;
    SnapshotInfo info;
    std::string mount;  ///< lxc: where its disk is mounted while it runs; empty: it does not run
    std::chrono::milliseconds patience{2000};      ///< for a moment without writes; then they are blocked
    std::chrono::milliseconds freeze_limit{1000};  ///< for at most so long
    std::string kind = "lxc";
    bool running = false;  ///< kvm: its disks are left to KeepState
};
/// What its hypervisor adds to .SNAPSHOT.partial: the definition; of a guest that runs the state of its
/// disks, of all at one moment, and with `memory` of the whole machine.
struct KeepState {
    std::string home, pool, name, snapshot;
    bool disks = false, memory = false;
    std::string kind = "kvm";
};
/// The disks of a guest that runs lose what belongs to no snapshot any more.
struct DropStates {
    std::string home, pool, name;
    std::string kind = "kvm";
};
/// What libvirt knows of earlier backups no longer fits to disks that go back.
struct ForgetBackups {
    std::string home, name;
    std::string kind = "kvm";
};
/// Its file system is looked through, then .SNAPSHOT.partial becomes SNAPSHOT.
struct PublishSnapshot {
    std::string pool, name, snapshot;
    std::string kind = "lxc";
};
struct RemoveSnapshot {
    std::string pool, name, snapshot;
    std::string kind = "lxc";
};
/// A copy of a snapshot's disk, looked through, in the partial folder of what will be the snapshot `kept`.
/// kvm: nothing is copied, but all that the snapshot needs has to be there.
struct PrepareRollback {
    std::string pool, name, snapshot, kept;
    std::string kind = "lxc";
};
/// The prepared copy becomes the guest's disk; the disk of now, and guest.yaml, become the snapshot `kept`.
struct SwitchDisk {
    std::string pool, name, snapshot;
    SnapshotInfo kept;
    std::string kind = "lxc";
};

/// STORE/images/ID, which points of containers need; or back from there into a pool that lacks it.
struct CopyImage {
    std::string from, to, image;  ///< pools, NAME@DIGEST
};
/// What a backup writes, all into STORE/backups/NAME/.POINT.partial.
struct MakePoint {
    std::string store, pool, name;
    PointInfo info;        ///< what is known of it beforehand; its parent, too
    std::string home;      ///< LXC's folder or libvirt's URI
    bool running = false;  ///< else its disks are held while they are read
    bool defined = true;   ///< its hypervisor knows it
    std::string mount;     ///< of a container that runs: where its disk is mounted
    std::string bitmap;    ///< of a VM that runs: libvirt's checkpoint since which changes count; empty: none
    bool checkpoint = false;  ///< of a VM that runs: later ones may count from this one
    std::vector<std::vector<std::string>> before, after;  ///< commands inside, while it runs
    std::uint64_t rate = 0;  ///< bytes a second that are read, 0: as fast as it goes
    std::chrono::milliseconds patience{2000}, freeze_limit{1000};  ///< as MakeSnapshot
};
/// Is .POINT.partial what was read, readable, and like the last good one? What is not is put in quarantine:
/// it becomes POINT all the same, marked, and the plan ends in Error{partial}.
struct ProvePoint {
    std::string store, name, point;
    std::string last_good;  ///< the point that its shape is compared with; empty: none
};
struct PublishPoint {
    std::string store, name, point;
    std::string home;                      ///< of a VM that runs: its older checkpoints are forgotten
    std::vector<std::string> checkpoints;  ///< which
};
/// A point goes; who stood on it gets what it needs of it before.
struct RemovePoint {
    std::string store, name, point;
    std::string reason;  ///< why, as rotation tells it
};
/// The disks of a point, with all they stand on, into POOL/guests/.NAME.partial, or `.NAME.restored` where it
/// will replace a guest.
struct RestorePoint {
    std::string store, guest, point;  ///< of which guest
    std::string pool, name;           ///< what it becomes
    std::string kind = "lxc";
    bool replaces = false;
    std::uint64_t rate = 0;
    bool overlay = false;           ///< kvm: nothing is copied, the disks stand on those of the point
    std::optional<GuestSpec> spec;  ///< where it replaces a guest: its guest.yaml
};
/// Of a point that disks of a guest stand on: it stays, whatever rotation and people say, until they do so no
/// more.
struct HoldPoint {
    std::string store, guest, point;
    std::string holder;  ///< "HOST:POOL/guests/NAME"
    bool hold = true;    ///< false: no more
};
/// The disks of a guest that stand on a restore point take over all of it, while it runs or not.
struct AbsorbPoint {
    std::string home, pool, name, store;
    std::uint64_t rate = 0;  ///< bytes a second, 0: as fast as it goes
    std::string kind = "kvm";
};
/// STORE/backups/GUEST/POINT into another store, read again there, and published. What has come is kept when
/// it fails: the next one goes on from there.
struct CopyPoint {
    std::string from, to, guest, point;
    std::string base;          ///< point of `to` that it will stand on there; empty: on nothing
    std::uint64_t number = 0;  ///< its place among the points there
    std::uint64_t rate = 0;    ///< bytes a second, 0: as fast as it goes
};
/// What was restored takes the place of the guest, whose folder is .NAME.replaced from then on.
struct SwapGuest {
    std::string pool, name;
};
/// .NAME.replaced goes: the restored guest is up.
struct DropReplaced {
    std::string pool, name;
};

using Action =
    std::variant<ClearLeftover, EnsureBridge, ReserveAddress, ReleaseAddress, MakeDisk, CopyDisks, FetchDisk,
                 DropFetched, GiveIdentity, FillDisk, WriteSpec, DefineGuest, UndefineGuest, PublishGuest,
                 StartGuest, ProveGuest, StopGuest, RestartIoc, RemoveGuest, MakeSnapshot, KeepState,
                 PublishSnapshot, RemoveSnapshot, DropStates, PrepareRollback, ForgetBackups, SwitchDisk,
                 WakeGuest, CopyImage, MakePoint, ProvePoint, PublishPoint, RemovePoint, RestorePoint,
                 SwapGuest, DropReplaced, HoldPoint, AbsorbPoint, CopyPoint, RemoveBridge>;

/// The same sentence before ("Create disk ...") and while it is done ("Creating disk ...").
std::string describe(const Action& action);
std::string describe_running(const Action& action);

}  // namespace clara
