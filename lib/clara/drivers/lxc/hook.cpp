#include "clara/drivers/lxc/hook.hpp"

#include <fcntl.h>
#include <signal.h>
#include <unistd.h>

#include <cerrno>

#include "clara/base/error.hpp"
#include "clara/base/files.hpp"
#include "clara/base/probe_path.hpp"
#include "clara/drivers/lxc/leftovers.hpp"
#include "clara/drivers/network/bridge.hpp"
#include "clara/drivers/storage/layout.hpp"
#include "clara/drivers/storage/lease.hpp"
#include "clara/drivers/storage/mount.hpp"
#include "clara/spec/site.hpp"

namespace clara {
namespace {

using std::chrono::milliseconds;

constexpr milliseconds mount_look{5000};  // for a mount source on a slow server

std::string guest_run_dir(const HookCall& call) {
    return call.run_dir + "/guests/" + call.guest;
}

GuestSpec read_spec(int dir, const std::string& name) {
    auto text = read_file_at(dir, "guest.yaml");
    if (!text) throw Error(ErrorKind::failed, name + " has no guest.yaml");
    return read_guest(*text, name + "/guest.yaml");
}

/// A lease of an earlier boot or of a process that is gone is void; one of another host never is.
void check_lease(const Lease& lease, const HookCall& call) {
    if (lease.host != this_host())
        throw Error(ErrorKind::busy, call.guest + " belongs to " + lease.text(),
                    "stop it there; if that host is gone for good, remove the file lease in " +
                        pool::guest(call.pool, call.guest));
    if (lease.boot_id == this_boot() && lease.pid != call.monitor && ::kill(lease.pid, 0) == 0 &&
        is_mount_point(guest_run_dir(call) + "/disk"))
        throw Error(ErrorKind::busy, call.guest + " runs already: " + lease.text());
}

/// LXC would wait for ever on a server that does not answer.
void check_mounts(const GuestSpec& spec) {
    for (const auto& mount : spec.mounts) {
        switch (probe_path(mount.host, mount_look)) {
            case PathState::ok:
                continue;
            case PathState::absent:
                if (mount.optional) continue;
                throw Error(ErrorKind::refused, "mount source " + mount.host + " is absent");
            case PathState::stale:
                throw Error(ErrorKind::refused, "mount source " + mount.host + " is a stale NFS handle");
            case PathState::hung:
                throw Error(ErrorKind::refused, "mount source " + mount.host + " does not answer");
        }
    }
}

/// After a reboot nobody but us makes the managed bridge.
void provide_bridge(const GuestSpec& spec, const std::string& config) {
    if (exists("/sys/class/net/" + spec.nic.bridge)) return;
    const Site site = read_site(config);
    for (const auto& network : site.networks)
        if (network.bridge == spec.nic.bridge && network.managed) {
            BridgeDriver().ensure_bridge({network.bridge, network.subnet, network.isolated});
            return;
        }
    throw Error(ErrorKind::refused, "bridge " + spec.nic.bridge + " is missing",
                "make it, or say in site.yaml that clara manages it");
}

void prepare(const HookCall& call, int dir) {
    const GuestSpec spec = read_spec(dir, call.guest);
    if (auto lease = read_lease(dir)) check_lease(*lease, call);
    unmount_guest(call.run_dir, call.guest);
    Fd disk = open_disk(dir, "disk.raw", disk_release);
    clear_groups(call.guest);
    clear_interface(call.guest);
    write_lease(dir, new_lease(call.monitor, system_clock(), system_random()));
    try {
        check_mounts(spec);
        provide_bridge(spec, call.config);
        if (spec.init == "clara") provide_init(call.run_dir);
        std::string lower = mount_image(call.pool, spec.image, call.run_dir, call.ids);
        mount_guest(spec, disk.get(), lower, call.run_dir, call.ids);
    } catch (...) {
        unmount_guest(call.run_dir, call.guest);
        remove_lease(dir);
        throw;
    }
}

}  // namespace

void pre_start(const HookCall& call) {
    make_dirs(guest_run_dir(call));
    Fd run = open_dir(guest_run_dir(call));
    if (::unlinkat(run.get(), "error", 0) != 0 && errno != ENOENT)
        throw system_error("cannot remove the last error", errno);
    try {
        prepare(call, open_dir(pool::guest(call.pool, call.guest)).get());
    } catch (const Error& e) {
        std::string text = e.message() + (e.hint().empty() ? "" : " (" + e.hint() + ")");
        write_file_at(run.get(), "error", text, 0644, Durable::nothing);
        throw;
    }
}

void post_stop(const HookCall& call) {
    Fd dir = open_dir(pool::guest(call.pool, call.guest));
    // LXC calls this after a failed pre-start too: then nothing here is ours.
    auto lease = read_lease(dir.get());
    if (!lease || lease->host != this_host() || lease->boot_id != this_boot() || lease->pid != call.monitor)
        return;
    unmount_guest(call.run_dir, call.guest);
    // A stop is over when the next start, or a copy, can have the disk.
    open_disk(dir.get(), "disk.raw", disk_release);
    remove_lease(dir.get());
}

}  // namespace clara
