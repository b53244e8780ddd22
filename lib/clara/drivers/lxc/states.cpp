#include "clara/drivers/lxc/states.hpp"

#include <fcntl.h>

#include <cstdlib>
#include <set>
#include <sstream>

#include "clara/base/files.hpp"
#include "clara/base/process_age.hpp"
#include "clara/drivers/lxc/container.hpp"
#include "clara/drivers/storage/mount.hpp"

namespace clara {
namespace {

constexpr const char* cgroup_root = "/sys/fs/cgroup";

bool unified() {
    return exists(std::string(cgroup_root) + "/cgroup.controllers");
}

/// Folder of one controller's group of the container, e.g. /sys/fs/cgroup/memory/lxc.payload.magnets
std::string group(const std::string& controller, const std::string& name) {
    return cgroup_root + (unified() ? "" : "/" + controller) + "/lxc.payload." + name;
}

/// A monitor listens on the abstract socket LXCPATH/NAME/command from the start to the very end.
std::set<std::string> monitored(const std::string& lxc_path) {
    std::set<std::string> names;
    const std::string begin = "@" + lxc_path + "/", end = "/command";
    std::istringstream sockets(read_file("/proc/net/unix", 64 << 20).value_or(""));
    for (std::string line; std::getline(sockets, line);) {
        auto at = line.find(begin);
        if (at == std::string::npos || !line.ends_with(end)) continue;
        at += begin.size();
        names.insert(line.substr(at, line.size() - end.size() - at));
    }
    return names;
}

/// "NSpid: 1234 1": the last number is the one inside.
bool is_init(const std::string& pid) {
    std::istringstream status(read_file("/proc/" + pid + "/status").value_or(""));
    for (std::string line; std::getline(status, line);)
        if (line.starts_with("NSpid:")) return line.ends_with("\t1") && line.find('\t') != line.rfind('\t');
    return false;
}

int init_of_group(const std::string& name) {
    std::istringstream processes(read_file(group("pids", name) + "/cgroup.procs").value_or(""));
    for (std::string pid; std::getline(processes, pid);)
        if (is_init(pid)) return std::atoi(pid.c_str());
    return 0;
}

std::optional<std::uint64_t> number(const std::string& file) {
    auto text = read_file(file);
    if (!text) return std::nullopt;
    return std::strtoull(text->c_str(), nullptr, 10);
}

/// The value of "KEY VALUE" lines, 0 where the key is missing.
std::uint64_t value_of(const std::string& text, const std::string& key) {
    std::istringstream lines(text);
    std::string word;
    for (std::uint64_t value; lines >> word >> value;)
        if (word == key) return value;
    return 0;
}

std::optional<std::uint64_t> memory(const std::string& name) {
    const std::string folder = group("memory", name);
    auto stat = read_file(folder + "/memory.stat");
    if (!stat) return std::nullopt;
    if (!unified())
        return value_of(*stat, "total_rss") + number(folder + "/memory.kmem.usage_in_bytes").value_or(0);
    auto all = number(folder + "/memory.current");
    if (!all) return std::nullopt;
    auto cache = value_of(*stat, "file") - value_of(*stat, "shmem");
    return *all - std::min(*all, cache);
}

std::optional<double> cpu_seconds(const std::string& name) {
    if (!unified()) {
        auto nanoseconds = number(group("cpuacct", name) + "/cpuacct.usage");
        return nanoseconds ? std::optional(static_cast<double>(*nanoseconds) / 1e9) : std::nullopt;
    }
    auto stat = read_file(group("cpu", name) + "/cpu.stat");
    return stat ? std::optional(static_cast<double>(value_of(*stat, "usage_usec")) / 1e6) : std::nullopt;
}

}  // namespace

int lxc_init_pid(const std::string& lxc_path, const std::string& name) {
    // LXC itself is asked only where the group has not the plain name: that takes a millisecond each.
    int pid = init_of_group(name);
    return pid != 0 ? pid : Container(lxc_path, name).init_pid();
}

std::map<std::string, LxcState> lxc_states(const Site& site) {
    std::map<std::string, LxcState> states;
    for (const auto& name : monitored(site.lxc_path)) {
        LxcState& state = states[name];
        state.init_pid = lxc_init_pid(site.lxc_path, name);
        state.state = GuestState::running;
        if (!state.init_pid) {
            const bool stopping = Container(site.lxc_path, name).stopping();
            state.state = stopping ? GuestState::stopping : GuestState::starting;
            continue;
        }
        state.uptime_s = process_age_s(state.init_pid);
        state.cpu_s = cpu_seconds(name);
        state.memory = memory(name);
    }
    const std::string guests = site.run_dir + "/guests";
    if (!exists(guests)) return states;
    for (const auto& name : list_dir(guests))
        if (!states.count(name) && is_mount_point(guests + "/" + name + "/disk"))
            states[name].state = GuestState::leftover;
    return states;
}

}  // namespace clara
