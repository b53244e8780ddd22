// A virtual machine's snapshots as they lie in its disks: qcow2's internal ones, tagged clara.NAME. Those of
// a guest that does not run are made, applied and deleted here, those of one that runs by its qemu
// (drivers/libvirt/snapshots).
#pragma once
#include <string>
#include <vector>

namespace clara {

/// The tag of a snapshot, clara.before-monday. All tags that begin so are ours.
std::string snapshot_tag(const std::string& snapshot);

/// Paths of a guest's disks, disk.qcow2 first. Error{failed} where it has none.
std::vector<std::string> vm_disks(const std::string& pool, const std::string& guest);

bool has_tag(const std::string& disk, const std::string& tag);

/// Our tags on the disk that no published snapshot of the guest has: what a killed run left, or what a
/// snapshot that was deleted has left where the disk was in use.
std::vector<std::string> orphan_tags(const std::string& pool, const std::string& guest,
                                     const std::string& disk);

/// As qemu-img snapshot -c, -a and -d. Error{busy} where the disk is in use.
void make_tag(const std::string& disk, const std::string& tag);
void delete_tag(const std::string& disk, const std::string& tag);
/// Takes the disk back. Its dirty bitmaps go first: they do not tell what has changed since then, and QEMU
/// refuses as long as there are any. The next backup has to be a full one.
void apply_tag(const std::string& disk, const std::string& tag);

/// The orphans of all its disks are deleted. Error{busy} where one that has any is in use.
void delete_orphans(const std::string& pool, const std::string& guest);

}  // namespace clara
