#include "clara/drivers/storage/vm_snapshots.hpp"

#include <algorithm>

#include "clara/base/error.hpp"
#include "clara/base/files.hpp"
#include "clara/drivers/disks/chain.hpp"
#include "clara/drivers/disks/inner_snapshots.hpp"
#include "clara/drivers/disks/qcow2_snapshots.hpp"
#include "clara/drivers/storage/folders.hpp"
#include "clara/drivers/storage/layout.hpp"
#include "clara/drivers/storage/snapshots.hpp"

namespace clara::vm_snapshots {
namespace {

/// The memory that a snapshot has in one of its disks, bytes.
std::uint64_t memory_of(const std::vector<std::string>& disks, const std::string& snapshot) {
    std::uint64_t memory = 0;
    for (const auto& disk : disks) {
        const auto all = read_inner_snapshots(disk);
        auto found = std::find_if(all.begin(), all.end(), [&](const InnerSnapshot& one) {
            return one.name == snapshot_tag(snapshot);
        });
        if (found == all.end())
            throw Error(ErrorKind::failed, disk + " has no state of snapshot " + snapshot);
        memory = std::max(memory, found->vm_state);
    }
    return memory;
}

}  // namespace

void refuse_linked(const std::string& pool, const std::string& guest) {
    for (const auto& disk : vm_disks(pool, guest)) refuse_used_disk(pool, disk);
}

void copy_parts(int from, int to) {
    for (auto [name, mode] : {std::pair{"guest.yaml", 0640}, {"domain.xml", 0640}, {"nvram.fd", 0600}}) {
        auto content = read_file_at(from, name, 64 << 20);
        if (content && content != read_file_at(to, name, 64 << 20))
            write_file_at(to, name, *content, static_cast<mode_t>(mode), Durable::content);
    }
}

std::string make(const MakeSnapshot& a) {
    refuse_linked(a.pool, a.name);
    const auto disks = vm_disks(a.pool, a.name);
    Fd guest = open_dir(pool::guest(a.pool, a.name));
    Fd folder = snapshots::open_clean(a.pool, a.name);
    Fd partial = snapshots::make_partial(folder.get(), a.info.name);
    try {
        copy_parts(guest.get(), partial.get());
        snapshots::write_info(partial.get(), a.info);
        if (a.running) return {};  // its qemu has the disks
        delete_orphans(a.pool, a.name);
        for (const auto& disk : disks) make_tag(disk, snapshot_tag(a.info.name));
        return {};
    } catch (Error& e) {
        remove({a.pool, a.name, a.info.name, a.kind});
        rethrow_full(e, a.pool);
    }
}

void publish(const PublishSnapshot& a) {
    Fd folder = open_dir(pool::snapshots(a.pool, a.name));
    Fd partial = open_dir_at(folder.get(), pool::partial(a.snapshot));
    SnapshotInfo info =
        read_snapshot_info(read_file_at(partial.get(), "snapshot.yaml").value_or(""), "snapshot.yaml");
    info.size = info.memory = memory_of(vm_disks(a.pool, a.name), a.snapshot);
    try {
        snapshots::write_info(partial.get(), info);
        snapshots::publish_folder(folder.get(), a.snapshot);
    } catch (Error& e) {
        rethrow_full(e, a.pool);
    }
}

void remove(const RemoveSnapshot& a) {
    refuse_linked(a.pool, a.name);
    snapshots::remove(a);
    try {
        delete_orphans(a.pool, a.name);
    } catch (const Error& e) {
        if (e.kind() != ErrorKind::busy) throw;  // its qemu deletes them, or the next run does
    }
}

}  // namespace clara::vm_snapshots
