// Where things lie in a pool.
#pragma once
#include <string>

namespace clara::pool {

inline std::string guests(const std::string& pool) {
    return pool + "/guests";
}
inline std::string guest(const std::string& pool, const std::string& name) {
    return pool + "/guests/" + name;
}
/// What a VM's serial console has said.
inline std::string console_log(const std::string& pool, const std::string& name) {
    return guest(pool, name) + "/console.log";
}
inline std::string lock(const std::string& pool, const std::string& name) {
    return pool + "/locks/" + name;
}
/// Held while a guest becomes a user of the image, and while an image without users is removed. A guest's
/// name has no @.
inline std::string image_lock(const std::string& pool, const std::string& id) {
    return pool + "/locks/image@" + id;
}
inline std::string image(const std::string& pool, const std::string& id) {
    return pool + "/images/" + id + "/image.erofs";
}
/// The same of a virtual machine's image.
inline std::string image_disk(const std::string& pool, const std::string& id) {
    return pool + "/images/" + id + "/disk.qcow2";
}
/// As a guest's disk names it: both move with the pool.
inline std::string image_disk_link(const std::string& id) {
    return "../../images/" + id + "/disk.qcow2";
}
inline std::string snapshots(const std::string& pool, const std::string& name) {
    return guest(pool, name) + "/snapshots";
}
inline std::string snapshot(const std::string& pool, const std::string& name, const std::string& snapshot) {
    return snapshots(pool, name) + "/" + snapshot;
}
/// Disks of other machines, until the guest that they are for has them.
inline std::string incoming(const std::string& pool) {
    return pool + "/incoming";
}
inline std::string fetched(const std::string& pool, const std::string& name) {
    return incoming(pool) + "/" + name + ".qcow2";
}
/// In the folder of a virtual machine whose disks are just being taken back: its text is the name of the
/// snapshot that is whole. Nobody starts such a guest (drivers/libvirt/hook).
inline constexpr const char* unfinished_rollback = "unfinished-rollback";
/// Restore points of all guests.
inline std::string backups(const std::string& store) {
    return store + "/backups";
}
inline std::string backups(const std::string& store, const std::string& name) {
    return backups(store) + "/" + name;
}
inline std::string point(const std::string& store, const std::string& name, const std::string& point) {
    return backups(store, name) + "/" + point;
}
inline std::string cache(const std::string& pool) {
    return pool + "/cache";
}

/// Names in a folder of guests or snapshots, whose own names never begin with a dot.
inline std::string partial(const std::string& name) {
    return "." + name + ".partial";
}  ///< being made
inline std::string removed(const std::string& name) {
    return "." + name + ".removed";
}  ///< being removed
/// A restore point that will take the place of the one of that name.
inline std::string merged(const std::string& name) {
    return "." + name + ".merged";
}
/// A restore point on its way from another store.
inline std::string coming(const std::string& name) {
    return "." + name + ".coming";
}
/// A guest that will take the place of one that is there, and the one whose place was taken.
inline std::string restored(const std::string& name) {
    return "." + name + ".restored";
}
inline std::string replaced(const std::string& name) {
    return "." + name + ".replaced";
}

}  // namespace clara::pool
