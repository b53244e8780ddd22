#include "clara/spec/template_checks.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <set>

#include "clara/base/units.hpp"
#include "clara/spec/backup_checks.hpp"
#include "clara/spec/host_files.hpp"
#include "clara/spec/machine_checks.hpp"

namespace clara {
namespace {

constexpr uid_t ioc_uid = 1000;
constexpr std::uint64_t file_limit = 16 << 20;   ///< db files and placed files, bytes
constexpr std::uint64_t least_disk = 32 << 20;   ///< ext4 with its journal, logs and autosave, bytes
constexpr std::uint64_t least_memory = 8 << 20;  ///< below that not even sshd and procServ fit, bytes

class Completer {
  public:
    Completer(GuestSpec& spec, const Site& site, const Yaml& tree, Problems& problems)
        : spec_(spec), site_(site), tree_(tree), problems_(problems) {}

    void run() {
        keys();
        users();
        if (spec_.ioc) ioc(*spec_.ioc);
        if (const Yaml* node = tree_.find("daemon"); node && spec_.daemon.command.empty())
            tell("daemon", "command: no program is named");
        files();
        mounts();
        complete_machine(spec_, site_, tree_, problems_);
        if (spec_.disk < least_disk) tell("disk", "disk: at least " + size_text(least_disk));
        check_backup(spec_.backup, tree_, problems_);
        if (spec_.memory != 0 && spec_.memory < least_memory)
            tell("limits", "limits.memory: at least " + size_text(least_memory));
    }

  private:
    /// Place of a top-level key, or of one entry of the list it holds.
    Place place(const char* key, std::size_t entry = std::string::npos) const {
        const Yaml* node = tree_.find(key);
        if (!node) return tree_.place;
        return entry < node->items.size() ? node->items[entry].place : node->place;
    }
    void tell(const char* key, const std::string& what, std::size_t entry = std::string::npos) {
        problems_.add(place(key, entry), what);
    }

    void keys() {
        std::vector<std::string> site_keys = site_.ssh_keys;
        Place site_place{std::make_shared<const YamlSource>(YamlSource{site_.file + ": ssh-keys", "/"})};
        read_key_files(site_keys, site_place, problems_);
        read_key_files(spec_.root_keys, place("ssh"), problems_);
        for (const auto& key : site_keys)
            if (std::find(spec_.root_keys.begin(), spec_.root_keys.end(), key) == spec_.root_keys.end())
                spec_.root_keys.push_back(key);
    }

    void users() {
        std::set<std::string> names{"root"};
        std::set<uid_t> uids{0};
        for (std::size_t i = 0; i < spec_.users.size(); ++i) {
            User& user = spec_.users[i];
            if (user.name == "root")
                tell("users", "root is always there; its keys belong under ssh.keys", i);
            else if (!names.insert(user.name).second)
                tell("users", fmt::format("user '{}' is there twice", user.name), i);
            if (user.name == "ioc" && user.uid != 0 && user.uid != ioc_uid)
                tell("users", fmt::format("uid of ioc is always {}", ioc_uid), i);
            if (user.name == "ioc") user.uid = ioc_uid;
            if (user.uid != 0 && !uids.insert(user.uid).second)
                tell("users", fmt::format("uid {} is there twice", user.uid), i);
            read_key_files(user.keys, place("users", i), problems_);
        }
        if (names.insert("ioc").second) {
            if (!uids.insert(ioc_uid).second) tell("users", fmt::format("uid {} belongs to ioc", ioc_uid));
            spec_.users.insert(spec_.users.begin(), User{"ioc", ioc_uid});
        }
        uid_t next = ioc_uid + 1;
        for (User& user : spec_.users) {
            if (user.keys.empty()) user.keys = spec_.root_keys;
            if (user.uid != 0) continue;
            while (!uids.insert(next).second) ++next;
            user.uid = next;
        }
    }

    bool known_user(const std::string& name) const {
        return name == "root" || std::any_of(spec_.users.begin(), spec_.users.end(),
                                             [&](const User& user) { return user.name == name; });
    }

    void ioc(Ioc& ioc) {
        if (ioc.st_cmd.empty() == ioc.db.empty())
            tell("ioc", ioc.db.empty() ? "ioc: needs st-cmd (an existing start script) or db (database files)"
                                       : "ioc: st-cmd and db exclude each other");
        if (!ioc.db.empty() && ioc.executable.empty()) ioc.executable = "/usr/bin/softIoc";
        if (!ioc.pva_pvs.empty() && !ioc.pva) tell("ioc", "ioc.pva-pvs: needs pva: true");
        if (!known_user(ioc.user)) tell("ioc", fmt::format("ioc.user: no user '{}' under users", ioc.user));
        const Yaml* db = tree_.find("ioc")->find("db");
        for (std::size_t i = 0; i < ioc.db.size(); ++i)
            check_host_file(ioc.db[i].file, file_limit, db->items[i].find("file")->place, problems_);
    }

    void files() {
        std::set<std::string> paths;
        for (std::size_t i = 0; i < spec_.files.size(); ++i) {
            const PlacedFile& file = spec_.files[i];
            const Yaml& node = tree_.find("files")->items[i];
            if (!node.find("source") == !node.find("content"))
                tell("files", "files: each needs either source or content", i);
            else if (node.find("source"))
                check_host_file(file.source, file_limit, node.find("source")->place, problems_);
            if (!paths.insert(file.path).second) tell("files", file.path + " is there twice", i);
            if (!known_user(file.owner))
                tell("files", fmt::format("files.owner: no user '{}' under users", file.owner), i);
        }
        for (std::size_t i = 0; i < spec_.devices.size(); ++i) {
            Device& device = spec_.devices[i];
            if (device.host.empty() == device.usb.empty())
                tell("devices", "devices: each needs host (or, in a VM, usb)", i);
            if (device.guest.empty()) device.guest = device.host;
            if (!known_user(device.owner))
                tell("devices", fmt::format("devices.owner: no user '{}' under users", device.owner), i);
        }
    }

    void mounts() {
        std::set<std::string> paths;
        for (std::size_t i = 0; i < spec_.mounts.size(); ++i) {
            const std::string& path = spec_.mounts[i].guest;
            if (path.find_first_not_of('/') == std::string::npos)
                tell("mounts", "mounts.guest: / is the guest's own disk", i);
            if (!paths.insert(path).second) tell("mounts", path + " is there twice", i);
        }
    }

    GuestSpec& spec_;
    const Site& site_;
    const Yaml& tree_;
    Problems& problems_;
};

}  // namespace

void complete(GuestSpec& spec, const Site& site, const Yaml& tree, Problems& problems) {
    Completer(spec, site, tree, problems).run();
}

}  // namespace clara
