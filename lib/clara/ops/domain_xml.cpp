#include "clara/ops/domain_xml.hpp"

#include <cmath>

#include "clara/base/error.hpp"
#include "clara/base/xml.hpp"
#include "clara/ops/domain_devices.hpp"

namespace clara {
namespace {

// Versioned: a guest sees the same hardware after an upgrade of qemu, and on the other host of a migration.
constexpr const char* pc_machine = "pc-i440fx-7.2";
constexpr const char* q35_machine = "pc-q35-7.2";
constexpr int cpu_period_us = 100000;

std::string kib(std::uint64_t bytes) {
    return std::to_string((bytes + 1023) / 1024);
}

/// The element that says whose domain this is; ops/domain_mark reads it.
void add_mark(XmlElement domain, const GuestSpec& spec) {
    domain.add("metadata")
        .add("guest")
        .in_space("clara", "https://clara.control/guest/1")
        .set("name", spec.name)
        .set("pool", spec.pool);
}

void add_memory(XmlElement domain, const GuestSpec& spec, const Machine& machine) {
    domain.add("memory", kib(machine.memory)).set("unit", "KiB");
    domain.add("currentMemory", kib(machine.memory_min ? machine.memory_min : machine.memory))
        .set("unit", "KiB");
    if (spec.mounts.empty()) return;
    XmlElement backing = domain.add("memoryBacking");  // virtiofsd works in the guest's memory
    backing.add("source").set("type", "memfd");
    backing.add("access").set("mode", "shared");
}

void add_cpus(XmlElement domain, const GuestSpec& spec, const Machine& machine) {
    domain.add("vcpu", std::to_string(machine.cpus)).set("placement", "static");
    if (spec.cpus <= 0) return;
    XmlElement tune = domain.add("cputune");  // of all threads of qemu, not of each virtual CPU
    tune.add("global_period", std::to_string(cpu_period_us));
    tune.add("global_quota", std::to_string(std::lround(spec.cpus * cpu_period_us)));
}

void add_os(XmlElement domain, const GuestSpec& spec, const Machine& machine) {
    XmlElement os = domain.add("os");
    os.add("type", "hvm")
        .set("arch", "x86_64")
        .set("machine", machine.chipset == "q35" ? q35_machine : pc_machine);
    if (machine.firmware != "uefi") return;
    // libvirt looks for the firmware file; without this it prefers one with Secure Boot, which boots little
    // else than what Microsoft has signed.
    os.set("firmware", "efi");
    os.add("firmware").add("feature").set("enabled", "no").set("name", "secure-boot");
    os.add("nvram", domain_file::nvram(spec.pool, spec.name));
}

void add_features(XmlElement domain, const Machine& machine, const std::string& hypervisor) {
    XmlElement features = domain.add("features");
    features.add("acpi");
    features.add("apic");
    if (hypervisor == "qemu") features.add("tcg").add("tb-cache", kib(machine.tcg_cache)).set("unit", "KiB");
}

void add_cpu_model(XmlElement domain, const Machine& machine, const std::string& hypervisor) {
    if (machine.cpu == "host") {
        // TCG has no CPU of the host's to pass through; what it can do at most comes nearest.
        domain.add("cpu")
            .set("mode", hypervisor == "kvm" ? "host-passthrough" : "maximum")
            .set("check", "none");
    } else if (!machine.cpu.empty()) {
        XmlElement cpu =
            domain.add("cpu").set("mode", "custom").set("match", "exact").set("check", "partial");
        cpu.add("model", machine.cpu).set("fallback", "forbid");
    } else if (hypervisor == "kvm") {
        domain.add("cpu").set("mode", "host-model").set("check", "partial");
    }
}

void add_events(XmlElement domain, const Machine& machine) {
    domain.add("on_poweroff", "destroy");
    domain.add("on_reboot", "restart");
    domain.add("on_crash", machine.on_crash);
}

}  // namespace

namespace domain_file {

static std::string below(const std::string& pool, const std::string& name, const std::string& file) {
    return pool + "/guests/" + name + "/" + file;
}
std::string disk_name(std::size_t index) {
    return index == 0 ? "disk.qcow2" : "disk" + std::to_string(index + 1) + ".qcow2";
}
std::string disk(const std::string& pool, const std::string& name, std::size_t index) {
    return below(pool, name, disk_name(index));
}
std::string nvram(const std::string& pool, const std::string& name) {
    return below(pool, name, "nvram.fd");
}
std::string console_log(const std::string& pool, const std::string& name) {
    return below(pool, name, "console.log");
}
std::string image(const std::string& pool, const std::string& id) {
    return pool + "/images/" + id + "/disk.qcow2";
}

}  // namespace domain_file

std::string mount_tag(std::size_t index) {
    return "clara" + std::to_string(index);
}

std::string domain_xml(const GuestSpec& spec, const Site& site, const Facts& facts,
                       const std::string& hypervisor) {
    if (!spec.machine || spec.machine->uuid.empty())
        throw Error(ErrorKind::usage, spec.name + " is no virtual machine: it has no hardware and no UUID");
    const Machine& machine = *spec.machine;
    XmlDocument document = XmlDocument::make("domain");
    XmlElement domain = document.root().set("type", hypervisor);
    domain.add("name", spec.name);
    domain.add("uuid", machine.uuid);
    if (!spec.description.empty()) domain.add("description", spec.description);
    add_mark(domain, spec);
    add_memory(domain, spec, machine);
    add_cpus(domain, spec, machine);
    add_os(domain, spec, machine);
    add_features(domain, machine, hypervisor);
    add_cpu_model(domain, machine, hypervisor);
    domain.add("clock").set("offset", "utc");
    add_events(domain, machine);
    XmlElement devices = domain.add("devices");
    add_disks(devices, spec, facts);
    add_nics(devices, spec, site);
    add_consoles(devices, spec);
    add_helpers(devices, spec, facts);
    return document.indented_text();
}

}  // namespace clara
