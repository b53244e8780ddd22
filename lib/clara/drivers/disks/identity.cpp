#include "clara/drivers/disks/identity.hpp"

#include <sys/mount.h>

#include <filesystem>
#include <future>
#include <map>

#include "clara/base/error.hpp"
#include "clara/base/files.hpp"
#include "clara/base/process.hpp"
#include "clara/drivers/storage/mount.hpp"

namespace clara {
namespace {

struct KeyPair {
    std::string secret, open;
};

/// In a tmpfs that is attached nowhere: no key ever lies on the host's disk.
KeyPair make_key(const std::string& type, const std::string& comment) {
    Fd mount = new_mount("tmpfs", "", {{"size", "1m"}, {"mode", "700"}},
                         MOUNT_ATTR_NOSUID | MOUNT_ATTR_NODEV | MOUNT_ATTR_NOEXEC);
    Fd folder = open_dir_at(mount.get(), ".");
    const std::string path =
        "/proc/" + std::to_string(::getpid()) + "/fd/" + std::to_string(folder.get()) + "/key";
    run_ok({"ssh-keygen", "-q", "-t", type, "-N", "", "-C", comment, "-f", path});
    return {read_file_at(folder.get(), "key").value_or(""),
            read_file_at(folder.get(), "key.pub").value_or("")};
}

/// All at once: an RSA key takes as long as everything else together.
std::map<std::string, KeyPair> make_keys(const IdentityPlan& plan, const std::string& hostname) {
    std::map<std::string, std::future<KeyPair>> making;
    for (const auto& change : plan.changes)
        if (change.what == FileChange::What::host_key && !making.count(change.text))
            making[change.text] = std::async(std::launch::async, make_key, change.text, "root@" + hostname);
    std::map<std::string, KeyPair> keys;
    for (auto& [type, key] : making) keys[type] = key.get();
    return keys;
}

/// Configuration is often a link to where it lies; the link stays.
std::string followed(const GuestDisk& disk, std::string path) {
    constexpr int most_links = 8;
    for (int links = 0; links < most_links; ++links) {
        const auto target = disk.link_target(path);
        if (!target) break;
        path = (std::filesystem::path(path).parent_path() / *target).lexically_normal().string();
    }
    return path;
}

void put(GuestDisk& disk, const std::string& named, const std::string& text, mode_t mode) {
    const std::string path = followed(disk, named);
    const auto st = disk.stat(path);
    FileAttributes attributes{.mode = mode};
    if (st && st->kind == FileStat::Kind::file) attributes = st->attributes;
    attributes.mtime = 0;
    disk.write(path, text, attributes);
}

void apply(GuestDisk& disk, const FileChange& change, const std::map<std::string, KeyPair>& keys) {
    switch (change.what) {
        case FileChange::What::write:
            return put(disk, change.path, change.text, change.mode);
        case FileChange::What::remove:
            return disk.remove(change.path);
        case FileChange::What::link:
            return disk.make_link(change.path, change.text);
        case FileChange::What::host_key:
            put(disk, change.path, keys.at(change.text).secret, 0600);
            return put(disk, change.path + ".pub", keys.at(change.text).open, 0644);
    }
}

}  // namespace

std::vector<std::string> apply_identity(GuestDisk& disk, const IdentityPlan& plan,
                                        const std::string& hostname) {
    const auto keys = make_keys(plan, hostname);
    std::vector<std::string> left_out;
    for (const auto& change : plan.changes) {
        try {
            apply(disk, change, keys);
        } catch (Error& e) {
            if (e.kind() != ErrorKind::refused) throw e.in("changing " + change.path);
            left_out.push_back(change.path);
        }
    }
    return left_out;
}

}  // namespace clara
