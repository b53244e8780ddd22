#include "clara/ops/lxc_config.hpp"

#include <fmt/format.h>
#include <net/if.h>

#include <algorithm>
#include <cctype>
#include <cmath>
#include <cstring>

#include "clara/base/error.hpp"

namespace clara {
namespace {

// What clara-init, sshd and a soft IOC need. Without sys_nice an IOC cannot have real-time priorities and
// hence does not lock all its memory (58 MB instead of 17); without mknod and with a nodev root file system
// it has no devices but those it was given.
constexpr const char* kept_capabilities[] = {"chown",      "dac_override", "fowner", "fsetid",
                                             "kill",       "setgid",       "setuid", "net_bind_service",
                                             "sys_chroot", "sys_boot"};
// An image's own init (systemd) mounts and configures: it keeps all but what reaches past its guest.
constexpr const char* dropped_capabilities[] = {"mac_admin", "mac_override", "mknod",    "sys_module",
                                                "sys_nice",  "sys_rawio",    "sys_time", "sys_pacct"};
// As in LXC's common.conf: null zero full tty console ptmx random urandom, pts/*.
constexpr const char* standard_devices[] = {"c 1:3 rwm", "c 1:5 rwm", "c 1:7 rwm", "c 5:0 rwm",  "c 5:1 rwm",
                                            "c 5:2 rwm", "c 1:8 rwm", "c 1:9 rwm", "c 136:* rwm"};
constexpr int most_processes = 4096;  // threads count: a bomb stays in its guest, a Java server fits
constexpr int cpu_period_us = 100000;

class Config {
  public:
    explicit Config(std::string first_line) : text_(std::move(first_line) + "\n") {}
    void set(const std::string& key, const std::string& value) {
        if (std::any_of(value.begin(), value.end(), [](unsigned char c) { return c < ' ' || c == 0x7f; }))
            throw Error(ErrorKind::usage, "control character in " + key + " = " + value);
        text_ += "lxc." + key + " = " + value + "\n";
    }
    const std::string& text() const { return text_; }

  private:
    std::string text_;
};

/// LXC reads entries with getmntent(3): blanks and backslashes are octal there.
std::string fstab_field(const std::string& path) {
    std::string field;
    for (char c : path)
        if (c == ' ' || c == '\\' || c == '#')
            field += fmt::format("\\{:03o}", static_cast<unsigned>(c));
        else
            field += c;
    return field;
}

/// LXC hands hooks to sh -c, but first strips quotes that enclose the whole value: hence none where none is
/// needed, and a name last.
std::string shell_word(const std::string& text) {
    auto plain = [](unsigned char c) { return std::isalnum(c) || std::strchr("/._-+@:", c); };
    if (std::all_of(text.begin(), text.end(), plain)) return text;
    std::string word = "'";
    for (char c : text) word += c == '\'' ? std::string("'\\''") : std::string(1, c);
    return word + "'";
}

void put_network(Config& config, const GuestSpec& spec) {
    const Nic& nic = spec.nic;
    config.set("net.0.type", "veth");
    config.set("net.0.link", nic.bridge);
    config.set("net.0.veth.pair", host_interface(spec.name));
    config.set("net.0.name", "eth0");
    config.set("net.0.flags", "up");
    config.set("net.0.hwaddr", nic.mac.str());
    // With the broadcast: LXC before 7.0 computes a wrong one, and Channel Access lives on it.
    config.set("net.0.ipv4.address", nic.subnet.str() + " " + nic.subnet.broadcast().str());
    if (nic.gateway) config.set("net.0.ipv4.gateway", nic.gateway->str());
}

void put_isolation(Config& config, const GuestSpec& spec, const Site& site, const Facts& facts) {
    const bool own_init = spec.init == "clara";
    if (!spec.privileged)
        for (const char* kind : {"u", "g"})
            config.set("idmap", fmt::format("{} 0 {} {}", kind, site.idmap_base, site.idmap_count));
    if (own_init) {
        for (const char* capability : kept_capabilities) config.set("cap.keep", capability);
        for (const auto& capability : spec.capabilities) config.set("cap.keep", capability);
        config.set("no_new_privs", "1");
    } else {
        for (const std::string capability : dropped_capabilities)
            if (!std::count(spec.capabilities.begin(), spec.capabilities.end(), capability))
                config.set("cap.drop", capability);
    }
    config.set("seccomp.profile", "/usr/share/lxc/config/common.seccomp");
    if (facts.apparmor) {
        config.set("apparmor.profile", "generated");
        if (!own_init) config.set("apparmor.allow_nesting", "1");  // systemd mounts
    }
    // The numbers of the template's devices may change while they are unplugged, so a guest that has some
    // relies on nodev and the missing mknod alone.
    if (!spec.devices.empty()) return;
    const std::string cgroup = facts.cgroup_version == 2 ? "cgroup2" : "cgroup";
    config.set(cgroup + ".devices.deny", "a");
    for (const char* device : standard_devices) config.set(cgroup + ".devices.allow", device);
}

void put_limits(Config& config, const GuestSpec& spec, const Facts& facts) {
    const bool v2 = facts.cgroup_version == 2;
    const std::string cgroup = v2 ? "cgroup2" : "cgroup";
    config.set(cgroup + ".pids.max", std::to_string(most_processes));
    if (spec.memory > 0)
        config.set(cgroup + (v2 ? ".memory.max" : ".memory.limit_in_bytes"), std::to_string(spec.memory));
    if (spec.cpus > 0) {
        auto quota = std::lround(spec.cpus * cpu_period_us);
        if (v2) {
            config.set("cgroup2.cpu.max", fmt::format("{} {}", quota, cpu_period_us));
        } else {
            config.set("cgroup.cpu.cfs_period_us", std::to_string(cpu_period_us));
            config.set("cgroup.cpu.cfs_quota_us", std::to_string(quota));
        }
    }
}

void put_mounts(Config& config, const GuestSpec& spec, const Site& site) {
    const bool own_init = spec.init == "clara";
    config.set("mount.auto", own_init ? "proc:mixed sys:ro" : "proc:mixed sys:mixed cgroup:mixed");
    auto bind = [&](const std::string& host, const std::string& guest, const std::string& options) {
        config.set("mount.entry",
                   fmt::format("{} {} none bind,{} 0 0", fstab_field(host),
                               fstab_field(guest.substr(guest.find_first_not_of('/'))), options));
    };
    if (own_init) {
        bind(site.run_dir + "/bin/clara-init", "/usr/sbin/clara-init", "ro,create=file");
        // Mounted here, because clara-init may not mount.
        config.set("mount.entry", "tmpfs run tmpfs nosuid,nodev,mode=755,size=16m,create=dir 0 0");
    }
    for (const auto& mount : spec.mounts)
        bind(
            mount.host, mount.guest,
            std::string(mount.read_only ? "ro" : "rw") + ",create=dir" + (mount.optional ? ",optional" : ""));
    for (std::size_t i = 0; i < spec.devices.size(); ++i)  // nodes that the hook makes
        bind(fmt::format("{}/guests/{}/dev/{}", site.run_dir, spec.name, i), spec.devices[i].guest,
             "create=file");
}

void put_hooks(Config& config, const GuestSpec& spec, const Site& site, const Facts& facts) {
    config.set("hook.version", "1");  // arguments as written here, LXC's own in the environment
    std::string arguments =
        fmt::format(" --pool {} --run-dir {}", shell_word(spec.pool), shell_word(site.run_dir));
    if (!spec.privileged) arguments += fmt::format(" --ids {}:{}", site.idmap_base, site.idmap_count);
    // A site file of another place is needed again after a reboot, to make the bridge.
    if (!site.file.empty() && site.file != standard_site_file)
        arguments += " --config " + shell_word(site.file);
    arguments += " --guest " + spec.name;
    config.set("hook.pre-start", shell_word(facts.hook) + " pre-start" + arguments);
    config.set("hook.post-stop", shell_word(facts.hook) + " post-stop" + arguments);
}

/// FNV-1a, 64 bits: the same on every host, unlike std::hash.
std::uint64_t fnv1a(const std::string& text) {
    std::uint64_t hash = 0xcbf29ce484222325;
    for (unsigned char c : text) hash = (hash ^ c) * 0x100000001b3;
    return hash;
}

}  // namespace

std::string lxc_config_head(const std::string& pool) {
    return std::string(lxc_config_mark) + " Pool " + pool;
}

std::string why_foreign(const std::string& config, const std::string& head) {
    if (!config.starts_with(lxc_config_mark)) return "is a container that clara did not make";
    return config.substr(0, config.find('\n')) == head ? "" : "is a guest of another pool";
}

std::string host_interface(const std::string& guest) {
    std::string name = "ve-" + guest;
    return name.size() < IFNAMSIZ ? name : fmt::format("ve-{:012x}", fnv1a(guest) >> 16);
}

std::string lxc_config(const GuestSpec& spec, const Site& site, const Facts& facts) {
    Config config(lxc_config_head(spec.pool));
    config.set("uts.name", spec.name);
    config.set("rootfs.path", fmt::format("dir:{}/guests/{}/rootfs", site.run_dir, spec.name));
    config.set("init.cmd", spec.init == "clara" ? "/usr/sbin/clara-init" : "/sbin/init");
    config.set("tty.max", "0");
    config.set("pty.max", "256");
    config.set("console.logfile", fmt::format("{}/{}/console.log", site.lxc_path, spec.name));
    config.set("console.size", "128KB");  // a guest cannot fill the host with it
    config.set("log.file", fmt::format("{}/{}/lxc.log", site.lxc_path, spec.name));
    config.set("log.level", "ERROR");  // its warnings are about what is normal here
    put_network(config, spec);
    put_isolation(config, spec, site, facts);
    put_limits(config, spec, facts);
    put_mounts(config, spec, site);
    put_hooks(config, spec, site, facts);
    if (spec.autostart) {
        config.set("start.auto", "1");
        config.set("start.order", std::to_string(spec.autostart_order));
        config.set("start.delay", std::to_string(spec.autostart_delay_s));
    }
    return config.text();
}

}  // namespace clara
