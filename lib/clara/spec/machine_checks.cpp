#include "clara/spec/machine_checks.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <set>

#include "clara/base/error.hpp"
#include "clara/base/units.hpp"
#include "clara/spec/host_files.hpp"

namespace clara {
namespace {

constexpr std::uint64_t MiB = 1 << 20;
// Debian's cloud kernel boots with 96 MiB and not with 64; 128 leave room for sshd beside it.
constexpr std::uint64_t least_memory = 96 * MiB, system_memory = 128 * MiB, usual_memory = 256 * MiB;
constexpr std::uint64_t least_cache = 16 * MiB;  // less only makes it slow
constexpr std::uint64_t most_installer = 64ULL << 30;
constexpr std::size_t most_lines = 3;  // a PC has four serial ports, and the console is the first

class MachineCompleter {
  public:
    MachineCompleter(GuestSpec& spec, const Site& site, const Yaml& tree, Problems& problems)
        : spec_(spec), site_(site), tree_(tree), problems_(problems) {}

    void container() {
        for (const char* key : {"disks", "networks", "installer"})
            if (tree_.find(key)) tell(key, fmt::format("{}: only a VM (kind: kvm) has it", key));
        spec_.machine.reset();  // of a template that serves both kinds
        for (std::size_t i = 0; i < spec_.devices.size(); ++i)
            if (!spec_.devices[i].usb.empty())
                tell("devices", "devices.usb: a container takes the device's path, as host", i);
    }

    void machine() {
        if (spec_.privileged) tell("privileged", "privileged: root of a VM is never root of the host");
        if (!spec_.machine) spec_.machine.emplace();
        hardware(*spec_.machine);
        installer(*spec_.machine);
        disks();
        networks();
        devices();
        for (std::size_t i = 0; i < spec_.mounts.size(); ++i)
            if (spec_.mounts[i].optional)
                tell("mounts", "mounts.optional: a VM does not start without its mounts", i);
    }

  private:
    void tell(const char* key, const std::string& what, std::size_t entry = std::string::npos) {
        const Yaml* node = tree_.find(key);
        problems_.add(!node                        ? tree_.place
                      : entry < node->items.size() ? node->items[entry].place
                                                   : node->place,
                      what);
    }

    void hardware(Machine& m) {
        if (m.cpus == 0) m.cpus = std::max(1, static_cast<int>(std::ceil(spec_.cpus)));
        if (m.memory == 0) m.memory = spec_.memory ? spec_.memory + system_memory : usual_memory;
        if (m.memory < least_memory) tell("machine", "machine.memory: at least " + size_text(least_memory));
        if (m.memory < spec_.memory)
            tell("machine",
                 fmt::format("machine.memory: less than limits.memory ({})", size_text(spec_.memory)));
        if (m.memory_min > m.memory) tell("machine", "machine.memory-min: more than machine.memory");
        if (m.memory_min != 0 && m.memory_min < least_memory)
            tell("machine", "machine.memory-min: at least " + size_text(least_memory));
        if (m.tcg_cache < least_cache)
            tell("machine", "machine.tcg-cache: at least " + size_text(least_cache));
        if (spec_.cpus > m.cpus)
            tell("limits", fmt::format("limits.cpus: the VM has only {} (machine.cpus)", m.cpus));
    }

    void installer(Machine& m) {
        const Yaml* node = tree_.find("installer");
        if (!node) return;
        if (tree_.find("image")) tell("installer", "installer and image exclude each other");
        check_host_file(spec_.installer, most_installer, node->place, problems_);
        for (const char* key : {"ioc", "daemon", "environment", "files", "users", "console", "mounts"})
            if (tree_.find(key))
                tell(key,
                     fmt::format("{}: nothing can be placed in a system that is yet to be installed", key));
        const Yaml* hardware = tree_.find("machine");
        if (!hardware || !hardware->find("display")) m.display = "vnc";
    }

    void disks() {
        std::set<std::string> names;
        for (std::size_t i = 0; i < spec_.disks.size(); ++i) {
            if (!names.insert(spec_.disks[i].name).second)
                tell("disks", fmt::format("disk '{}' is there twice", spec_.disks[i].name), i);
            if (spec_.disks[i].size < MiB) tell("disks", "disks.size: at least " + size_text(MiB), i);
        }
    }

    void networks() {
        std::set<std::uint64_t> macs;
        for (std::size_t i = 0; i < spec_.networks.size(); ++i) {
            const ExtraNic& nic = spec_.networks[i];
            try {
                site_.network(nic.network);
            } catch (const Error& e) {
                tell("networks", e.message() + " (" + e.hint() + ")", i);
            }
            if (nic.mac.value == 0) continue;
            if (nic.mac.value >> 40 & 1) tell("networks", "networks.mac: a group's address", i);
            if (!macs.insert(nic.mac.value).second)
                tell("networks", fmt::format("networks.mac: {} is there twice", nic.mac.str()), i);
        }
    }

    void devices() {
        std::size_t lines = 0;
        for (std::size_t i = 0; i < spec_.devices.size(); ++i) {
            const std::string& host = spec_.devices[i].host;
            if (!spec_.devices[i].usb.empty()) continue;
            if (!host.starts_with("/dev/tty") && !host.starts_with("/dev/serial/"))
                tell("devices",
                     fmt::format("devices: a VM takes serial lines (/dev/tty..., /dev/serial/...) and USB "
                                 "devices (usb: VENDOR:PRODUCT), not {}",
                                 host),
                     i);
            else if (++lines > most_lines)
                tell("devices", fmt::format("devices: a VM takes {} serial lines", most_lines), i);
        }
    }

    GuestSpec& spec_;
    const Site& site_;
    const Yaml& tree_;
    Problems& problems_;
};

}  // namespace

void complete_machine(GuestSpec& spec, const Site& site, const Yaml& tree, Problems& problems) {
    MachineCompleter completer(spec, site, tree, problems);
    if (spec.kind == "kvm")
        completer.machine();
    else
        completer.container();
}

}  // namespace clara
