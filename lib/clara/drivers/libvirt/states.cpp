#include "clara/drivers/libvirt/states.hpp"

#include <cstdlib>
#include <sstream>

#include "clara/base/files.hpp"
#include "clara/base/process_age.hpp"
#include "clara/drivers/libvirt/hypervisor.hpp"

namespace clara {
namespace {

using Run = DomainState::Run;

GuestState state_of(Run run) {
    switch (run) {
        case Run::starting:
            return GuestState::starting;
        case Run::running:
        case Run::paused:
            return GuestState::running;
        case Run::stopping:
            return GuestState::stopping;
        case Run::off:
            break;
    }
    return GuestState::stopped;
}

/// libvirt writes its pid file for people and scripts (virPidFile); 0 where there is none that we may read.
int qemu_pid(const std::string& uri, const std::string& name) {
    if (uri != "qemu:///system") return 0;
    const std::string path = "/run/libvirt/qemu/" + name + ".pid";
    return exists(path) ? std::atoi(read_file(path).value_or("0").c_str()) : 0;
}

/// RssAnon and RssShmem of /proc/PID/status, in kB there (man proc).
std::optional<std::uint64_t> own_memory(int pid) {
    auto status = read_file("/proc/" + std::to_string(pid) + "/status");
    if (!status) return std::nullopt;
    std::istringstream lines(*status);
    std::uint64_t kib = 0;
    for (std::string line; std::getline(lines, line);)
        for (const std::string key : {"RssAnon:", "RssShmem:"})
            if (line.starts_with(key)) kib += std::strtoull(line.c_str() + key.size(), nullptr, 10);
    return kib << 10;
}

}  // namespace

std::map<std::string, DomainFact> domain_states(const Site& site) {
    std::map<std::string, DomainFact> facts;
    for (const auto& domain : open_hypervisor(site.libvirt_uri, Access::read)->domains()) {
        DomainFact& fact = facts[domain.name];
        fact.state = state_of(domain.run);
        fact.condition = domain.why;
        if (fact.state == GuestState::stopped) continue;
        fact.cpu_s = domain.cpu_s;
        if (const int pid = qemu_pid(site.libvirt_uri, domain.name)) {
            fact.uptime_s = process_age_s(pid);
            fact.memory = own_memory(pid);
        }
    }
    return facts;
}

std::string domain_xml(const Site& site, const std::string& name) {
    return open_hypervisor(site.libvirt_uri, Access::read)->xml(name);
}

}  // namespace clara
