#include "clara/ops/inside.hpp"

#include <fmt/format.h>

#include <algorithm>

#include "clara/base/error.hpp"
#include "clara/ops/st_cmd.hpp"

namespace clara {
namespace {

std::string hosts(const GuestSpec& spec) {
    return fmt::format("127.0.0.1 localhost\n::1 localhost ip6-localhost\n{} {}\n",
                       spec.nic.subnet.address.str(), spec.name);
}

std::string resolv_conf(const GuestSpec& spec) {
    if (spec.nameservers.empty()) return "# no name server: the site and the template name none\n";
    std::string out;
    for (const auto& server : spec.nameservers) out += "nameserver " + server + "\n";
    return out;
}

std::string keys_text(const std::vector<std::string>& keys) {
    std::string out;
    for (const auto& key : keys) out += key + "\n";
    return out;
}

// servconf.c splits values at spaces, with "..." and a backslash for quoting; only the first SetEnv line
// counts.
std::string sshd_config(const GuestSpec& spec) {
    std::string out =
        "# clara-init runs sshd for each connection: sshd -i -e -f this\n"
        "HostKey /etc/ssh/ssh_host_ed25519_key\n"
        "PermitRootLogin prohibit-password\n"
        "PasswordAuthentication no\n"
        "KbdInteractiveAuthentication no\n"
        "UsePAM no\n"
        "UseDNS no\n"
        "LoginGraceTime 30\n"
        "AuthorizedKeysFile /etc/clara/keys/%u .ssh/authorized_keys\n"  // the template's, and the user's own
        "Subsystem sftp internal-sftp\n";
    if (spec.environment.empty()) return out;
    out += "SetEnv";
    for (const auto& [name, value] : spec.environment) {
        std::string quoted;
        for (char c : value) quoted += (c == '"' || c == '\\') ? std::string{'\\', c} : std::string(1, c);
        out += fmt::format(" \"{}={}\"", name, quoted);
    }
    return out + "\n";
}

std::string profile(const GuestSpec& spec) {
    std::string out = "# the template's environment, for login shells\n";
    for (const auto& [name, value] : spec.environment)
        out += fmt::format("export {}={}\n", name, shell_quote(value));
    return out;
}

std::string motd(const GuestSpec& spec) {
    std::string out = fmt::format("\n{}: {}, made from template {}\n", spec.name,
                                  spec.ioc ? "an EPICS IOC" : "a service", spec.template_name);
    if (!spec.description.empty()) out += "  " + spec.description + "\n";
    if (!spec.owner.empty()) out += "  owner: " + spec.owner + "\n";
    if (spec.ioc) out += fmt::format("  console: telnet {} 7001\n", spec.nic.subnet.address.str());
    return out + fmt::format("  logs: {}\n\n", inside::log_folder);
}

void check_environment(const GuestSpec& spec) {
    for (const auto& [name, value] : spec.environment)
        if (value.find_first_of("\n\r") != std::string::npos)
            throw Error(ErrorKind::usage, "environment variable " + name + " holds a line break");
}

void add_clara_files(const GuestSpec& spec, Inside& out) {
    out.files.push_back({inside::init_json, {}, render_init_json(spec)});
    out.files.push_back({inside::sshd_config, {}, sshd_config(spec)});
    for (const auto& user : guest_users(spec))
        if (!user.keys.empty())
            out.files.push_back({"/etc/clara/keys/" + user.name, {}, keys_text(user.keys)});
    out.files.push_back({"/etc/motd", {}, motd(spec)});
    if (!spec.environment.empty()) out.files.push_back({"/etc/profile.d/clara.sh", {}, profile(spec)});
    if (spec.kind == "kvm")  // LXC makes them in a container
        for (const auto& mount : spec.mounts) out.folders.push_back(mount.guest + " 0");
    if (!spec.ioc) return;
    const Ioc& ioc = *spec.ioc;
    out.files.push_back({inside::ioc_run, {}, render_run(ioc), "root", 0755});
    if (ioc.st_cmd.empty()) out.files.push_back({"/opt/ioc/st.cmd", {}, render_st_cmd(ioc)});
    for (const auto& db : place_db(ioc)) out.files.push_back({"/opt/ioc/db/" + db.name, db.source, {}});
    if (ioc.autosave.empty()) return;
    auto uid = guest_uid(spec, ioc.user);
    if (!uid)
        throw Error(ErrorKind::usage, "ioc.user " + ioc.user + " is not among the users of " + spec.name);
    out.folders.push_back(fmt::format("{} {}", ioc.autosave, *uid));
}

/// Folders that a placed file needs in a home belong to the user, as if that user had made them.
void add_home_folders(const GuestSpec& spec, const PlacedFile& file, Inside& out) {
    for (const auto& user : guest_users(spec)) {
        const std::string home = "/home/" + user.name;
        if (user.uid == 0 || !file.path.starts_with(home + "/")) continue;
        for (auto end = home.size(); end != std::string::npos; end = file.path.find('/', end + 1)) {
            std::string folder = fmt::format("{} {}", file.path.substr(0, end), user.uid);
            if (!std::count(out.folders.begin(), out.folders.end(), folder)) out.folders.push_back(folder);
        }
    }
}

}  // namespace

std::vector<User> guest_users(const GuestSpec& spec) {
    std::vector<User> users{{"root", 0, "/bin/sh", spec.root_keys}, {"ioc", 1000, "/bin/sh", {}}};
    for (User user : spec.users) {
        auto known =
            std::find_if(users.begin(), users.end(), [&](const User& u) { return u.name == user.name; });
        if (known != users.end()) {
            known->keys.insert(known->keys.end(), user.keys.begin(), user.keys.end());
            known->shell = user.shell;
            if (user.uid) known->uid = user.uid;
            continue;
        }
        auto taken = [&](const User& u) { return u.uid == user.uid; };
        if (user.uid == 0) {
            user.uid = 1001;
            while (std::any_of(users.begin(), users.end(), taken) ||
                   std::any_of(spec.users.begin(), spec.users.end(), taken))
                ++user.uid;
        }
        users.push_back(std::move(user));
    }
    return users;
}

std::optional<uid_t> guest_uid(const GuestSpec& spec, const std::string& owner) {
    if (!owner.empty() && owner.size() <= 5 && owner.find_first_not_of("0123456789") == std::string::npos)
        return static_cast<uid_t>(std::stoul(owner));
    for (const auto& user : guest_users(spec))
        if (user.name == owner) return user.uid;
    return std::nullopt;
}

Inside render_inside(const GuestSpec& spec) {
    check_environment(spec);
    Inside out;
    out.files.push_back({"/etc/hostname", {}, spec.name + "\n"});
    out.files.push_back({"/etc/hosts", {}, hosts(spec)});
    out.files.push_back({"/etc/resolv.conf", {}, resolv_conf(spec)});
    if (spec.init == "clara")
        add_clara_files(spec, out);
    else if (!spec.root_keys.empty())  // sshd reads authorized_keys2 as well: the image's own keys stay
        out.files.push_back({"/root/.ssh/authorized_keys2", {}, keys_text(spec.root_keys), "root", 0600});
    for (const auto& file : spec.files) {
        if (!guest_uid(spec, file.owner))
            throw Error(ErrorKind::usage,
                        file.path + ": owner " + file.owner + " is not among the guest's users");
        std::erase_if(out.files, [&](const PlacedFile& ours) { return ours.path == file.path; });
        out.files.push_back(file);
        add_home_folders(spec, file, out);
    }
    return out;
}

}  // namespace clara
