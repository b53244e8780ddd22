#include <nlohmann/json.hpp>

#include "clara/base/error.hpp"
#include "clara/ops/domain_xml.hpp"
#include "clara/ops/init_machine.hpp"
#include "clara/ops/inside.hpp"

namespace clara {
namespace {

using Json = nlohmann::ordered_json;

constexpr const char* host_key = "/etc/ssh/ssh_host_ed25519_key";

Json users(const GuestSpec& spec) {
    Json out = Json::array();
    for (const auto& user : guest_users(spec))
        out.push_back({{"name", user.name},
                       {"uid", user.uid},
                       {"home", user.uid == 0 ? "/root" : "/home/" + user.name},
                       {"shell", user.shell}});
    return out;
}

Json environment(const GuestSpec& spec) {
    Json out = {{"PATH", "/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin"}};
    if (spec.ioc) {
        out["IOC"] = spec.name;
        out["TERM"] = "dumb";  // no escape sequences of readline in consoles and logs
        if (!spec.ioc->autosave.empty()) out["AUTOSAVE_DIR"] = spec.ioc->autosave;
        std::string search = ".:/opt/ioc/db";
        for (const auto& path : spec.ioc->paths) search += ":" + path;
        // an existing st.cmd keeps EPICS' own default
        if (spec.ioc->st_cmd.empty() || !spec.ioc->paths.empty()) out["EPICS_DB_INCLUDE_PATH"] = search;
    }
    for (const auto& [name, value] : spec.environment) out[name] = value;
    return out;
}

// The program name of a log and a service: an IOC is always "ioc", whatever it is called outside.
Json ioc_service(const GuestSpec& spec) {
    const Ioc& ioc = *spec.ioc;
    return {{"name", "ioc"},
            {"argv",
             // ^D would end the IOC, ^C kill it; -L -: the IOC's output goes to our log as well
             {"/usr/bin/procServ", "-f", "-L", "-", "-n", spec.name, "-i", "^D^C", "--holdoff",
              std::to_string(ioc.holdoff_s), "-I", "/run/ioc/info", "-c", "/opt/ioc", "-P",
              std::string("unix:") + inside::console_socket, "-l", std::string("unix:") + inside::log_socket,
              inside::ioc_run}},
            {"user", ioc.user},
            {"cwd", "/opt/ioc"},
            {"env", environment(spec)},
            {"sockets", {inside::console_socket, inside::log_socket}},
            {"procserv", inside::console_socket}};
}

Json daemon_service(const GuestSpec& spec) {
    return {{"name", spec.daemon.name.empty() ? "service" : spec.daemon.name},
            {"argv", spec.daemon.command},
            {"user", spec.daemon.user},
            {"cwd", spec.daemon.cwd},
            {"env", environment(spec)}};
}

Json relays(const GuestSpec& spec) {
    Json allow = Json::array({"127.0.0.0/8"});
    for (const auto& subnet : spec.console_allow)
        allow.push_back(Subnet{subnet.network(), subnet.prefix}.str());
    const Subnet& own = spec.nic.subnet;
    if (spec.console_allow.empty()) allow.push_back(Subnet{own.network(), own.prefix}.str());
    return {{{"port", 7001}, {"socket", inside::console_socket}, {"allow", allow}},
            {{"port", 7002}, {"socket", inside::log_socket}, {"read_only", true}, {"allow", allow}}};
}

Json sshd() {
    const std::string fresh = std::string(host_key) + ".new";
    return {{"port", 22},
            {"argv", {"/usr/sbin/sshd", "-i", "-e", "-f", inside::sshd_config}},
            {"max", 32},
            {"needs", host_key},
            {"make", {"/usr/bin/ssh-keygen", "-q", "-t", "ed25519", "-N", "", "-C", "", "-f", fresh}}};
}

/// The guest agent of libvirt: clean freezes for snapshots, and what address it has.
Json agent() {
    return {{"name", "qemu-ga"},
            {"argv",
             {"/usr/sbin/qemu-ga", "-m", "virtio-serial", "-p",
              std::string("/dev/virtio-ports/") + agent_port, "-t", "/run", "-r"}},
            {"user", "root"}};
}

void check_user(const GuestSpec& spec, const std::string& user, const char* key) {
    for (const auto& known : guest_users(spec))
        if (known.name == user) return;
    throw Error(ErrorKind::usage, std::string(key) + ": " + user + " is not among the users of " + spec.name,
                "add it under users:");
}

}  // namespace

std::string render_init_json(const GuestSpec& spec) {
    Json out;
    if (spec.kind == "kvm") out["machine"] = machine_section(spec);
    out["tmpfs"] = {"/run"};
    out["folders"] = {{{"path", "/run/sshd"}, {"user", "root"}}};
    out["users"] = users(spec);
    out["services"] = Json::array();
    out["relays"] = Json::array();
    if (spec.ioc) {
        check_user(spec, spec.ioc->user, "ioc.user");
        out["folders"].push_back({{"path", "/run/ioc"}, {"user", spec.ioc->user}});
        out["services"].push_back(ioc_service(spec));
        out["relays"] = relays(spec);
    }
    if (spec.daemon.present()) {
        check_user(spec, spec.daemon.user, "daemon.user");
        out["services"].push_back(daemon_service(spec));
    }
    if (spec.kind == "kvm") out["services"].push_back(agent());
    out["listeners"] = Json::array({sshd()});
    return out.dump(1) + "\n";
}

}  // namespace clara
