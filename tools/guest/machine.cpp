#include "machine.hpp"

#include <fcntl.h>
#include <linux/magic.h>
#include <signal.h>
#include <sys/mount.h>
#include <sys/reboot.h>
#include <sys/stat.h>
#include <sys/vfs.h>
#include <unistd.h>

#include <cerrno>
#include <cstring>

#include "accounts.hpp"
#include "grow.hpp"
#include "log.hpp"
#include "nic.hpp"

namespace guest {
namespace {

constexpr const char* serial_console = "/dev/ttyS0";

void make_mount(const char* type, const char* what, const std::string& where, unsigned long flags,
                const char* options) {
    if (::mkdir(where.c_str(), 0755) != 0 && errno != EEXIST)
        return complain("cannot make %s: %s", where.c_str(), std::strerror(errno));
    if (::mount(what, where.c_str(), type, flags, options) != 0 && errno != EBUSY)
        complain("cannot mount %s on %s: %s", type, where.c_str(), std::strerror(errno));
}

void link(const std::string& target, const std::string& path) {
    if (::symlink(target.c_str(), path.c_str()) != 0 && errno != EEXIST)
        complain("cannot link %s: %s", path.c_str(), std::strerror(errno));
}

void name_device(const DeviceName& device) {
    const Account owner = find_account(device.user);
    if (::chown(device.device.c_str(), owner.uid, owner.gid) != 0 ||
        ::chmod(device.device.c_str(), device.mode) != 0)
        return complain("%s: %s", device.device.c_str(), std::strerror(errno));
    if (device.path != device.device) link(device.device, device.path);
}

}  // namespace

bool is_machine() {
    struct statfs fs {};
    return ::statfs("/proc", &fs) != 0 || fs.f_type != PROC_SUPER_MAGIC;
}

void mount_kernel_files() {
    constexpr unsigned long plain = MS_NOSUID | MS_NOEXEC | MS_NODEV;
    struct stat st {};
    if (::stat("/dev/null", &st) != 0) make_mount("devtmpfs", "dev", "/dev", MS_NOSUID, "mode=0755");
    make_mount("proc", "proc", "/proc", plain, nullptr);
    make_mount("sysfs", "sysfs", "/sys", plain, nullptr);
    make_mount("devpts", "devpts", "/dev/pts", MS_NOSUID | MS_NOEXEC, "mode=0620,gid=5,ptmxmode=0666");
    make_mount("tmpfs", "shm", "/dev/shm", MS_NOSUID | MS_NODEV, "mode=1777");
    link("/proc/self/fd", "/dev/fd");
    for (int n = 0; n < 3; ++n)
        link("/proc/self/fd/" + std::to_string(n), std::string("/dev/") + (n == 0   ? "stdin"
                                                                           : n == 1 ? "stdout"
                                                                                    : "stderr"));
    ::reboot(RB_DISABLE_CAD);  // ctrl-alt-del is a SIGINT to us, not the end at once
}

void set_up_machine(const Machine& machine) {
    if (::sethostname(machine.hostname.data(), machine.hostname.size()) != 0)
        complain("hostname %s: %s", machine.hostname.c_str(), std::strerror(errno));
    try {
        set_up_network(machine.nic);
    } catch (const std::exception& e) {
        complain("network: %s", e.what());
    }
    for (const auto& share : machine.mounts)
        make_mount("virtiofs", share.tag.c_str(), share.path,
                   MS_NOSUID | MS_NODEV | (share.read_only ? +MS_RDONLY : 0), nullptr);
    for (const auto& device : machine.devices) try {
            name_device(device);
        } catch (const std::exception& e) {
            complain("%s: %s", device.device.c_str(), e.what());
        }
}

int ask_for_end(const char* name, int argc, char** argv) {
    bool restart = std::strcmp(name, "reboot") == 0;
    for (int i = 1; i < argc; ++i)
        if (argv[i][0] == '-' && argv[i][1] != '-' && std::strchr(argv[i], 'r'))
            restart = true;  // shutdown -r
    if (::kill(1, restart ? SIGINT : SIGPWR) == 0) return 0;
    ::dprintf(STDERR_FILENO, "%s: %s\n", name, std::strerror(errno));
    return 1;
}

void end_machine(bool restart) {
    ::sync();
    if (::mount(nullptr, "/", nullptr, MS_REMOUNT | MS_RDONLY, nullptr) != 0)
        ::dprintf(STDERR_FILENO, "clara-init: / stays writable: %s\n", std::strerror(errno));
    ::sync();
    ::reboot(restart ? RB_AUTOBOOT : RB_POWER_OFF);
    ::_exit(1);  // not reached: a kernel whose first program ends does so too
}

MachineWatch::MachineWatch(Loop& loop, Children& children, std::function<void()> power_off)
    : loop_(loop),
      button_(loop, std::move(power_off)),
      shell_(loop, children, serial_console),
      watchdog_(loop) {}

void MachineWatch::start() {
    if (!button_.watch()) complain("no power button: the host can end this machine by force alone");
    shell_.start();
    link_ports();
}

// As udev does it; qemu-ga looks for its port there.
void MachineWatch::link_ports() {
    ::mkdir("/dev/virtio-ports", 0755);
    for (const auto& [name, device] : host_ports())
        if (name.find('/') == std::string::npos) link(device, "/dev/virtio-ports/" + name);
    if (--port_looks_ > 0) loop_.after(std::chrono::milliseconds(500), [this] { link_ports(); });
}

void MachineWatch::start(const Machine& machine) {
    if (machine.watchdog) watchdog_.start();
    try {
        grow_root();
    } catch (const std::exception& e) {
        complain("growing /: %s", e.what());
    }
    if (!machine.console.port.empty()) console_.emplace(loop_, machine.console).open();
}

}  // namespace guest
