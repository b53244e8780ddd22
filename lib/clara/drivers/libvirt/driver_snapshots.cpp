// The part of LibvirtDriver that keeps and brings back states of virtual machines.
#include "clara/base/error.hpp"
#include "clara/base/files.hpp"
#include "clara/base/units.hpp"
#include "clara/base/xml.hpp"
#include "clara/drivers/disks/inner_snapshots.hpp"
#include "clara/drivers/libvirt/block_nodes.hpp"
#include "clara/drivers/libvirt/driver.hpp"
#include "clara/drivers/libvirt/ours.hpp"
#include "clara/drivers/storage/layout.hpp"
#include "clara/ops/domain_read.hpp"

namespace clara {
namespace {

using std::chrono::steady_clock;

constexpr const char* memory_file = "memory.xml";  // what libvirt has to know to wake it

void drop_orphans(Hypervisor& host, const std::string& pool, const std::string& name) {
    const auto disks = vm_disks(pool, name);
    host.forget_snapshots(name, snapshot_tag(""));
    std::vector<std::string> nodes;
    for (std::size_t i = 0; i < disks.size(); ++i)
        for (const auto& tag : orphan_tags(pool, name, disks[i])) {
            if (nodes.empty()) nodes = nodes_of(host.monitor(name, ask_for_nodes), disks);
            check_answer(host.monitor(name, delete_snapshot(nodes[i], tag)),
                         "cannot delete a snapshot in " + disks[i]);
        }
}

std::string keep_memory(Hypervisor& host, const KeepState& a, int folder, const std::string& domain) {
    if (read_domain(domain, a.name).uefi)
        throw Error(ErrorKind::refused, "its firmware is UEFI: libvirt keeps no memory of such machines",
                    "take it without --memory; what has reached its disks is kept all the same");
    XmlDocument wanted = XmlDocument::make("domainsnapshot");
    wanted.root().add("name", snapshot_tag(a.snapshot));
    wanted.root().add("memory").set("snapshot", "internal");
    const auto began = steady_clock::now();
    const std::string kept = host.keep_memory(a.name, wanted.text());
    const auto took = std::chrono::duration_cast<std::chrono::milliseconds>(steady_clock::now() - began);
    write_file_at(folder, memory_file, kept, 0600, Durable::content);
    return "it stood still for " + duration_text(took);
}

}  // namespace

std::string LibvirtDriver::keep_state(const KeepState& a) {
    auto host = connect(a.home);
    const auto domain = host->find(a.name);
    if (!domain) throw StaleFacts("libvirt knows no domain " + a.name + " any more");
    refuse_foreign(*host, a.name, &a.pool);
    const Fd folder = open_dir(pool::snapshot(a.pool, a.name, pool::partial(a.snapshot)));
    const std::string xml = host->xml(a.name);
    write_file_at(folder.get(), "domain.xml", xml, 0640, Durable::content);
    if (!a.disks) return {};
    if (!runs(domain)) throw StaleFacts(a.name + " has stopped meanwhile");
    drop_orphans(*host, a.pool, a.name);
    if (a.memory) return keep_memory(*host, a, folder.get(), xml);
    const auto nodes = nodes_of(host->monitor(a.name, ask_for_nodes), vm_disks(a.pool, a.name));
    check_answer(host->monitor(a.name, take_snapshots(nodes, snapshot_tag(a.snapshot))),
                 "QEMU does not keep the disks of " + a.name);
    return "it ran on";
}

void LibvirtDriver::drop_states(const DropStates& a) {
    auto host = connect(a.home);
    if (!runs(host->find(a.name))) return;
    refuse_foreign(*host, a.name, &a.pool);
    drop_orphans(*host, a.pool, a.name);
}

void LibvirtDriver::forget_backups(const ForgetBackups& a) {
    auto host = connect(a.home);
    if (!host->find(a.name)) return;
    refuse_foreign(*host, a.name, nullptr);
    host->forget_checkpoints(a.name);
}

void LibvirtDriver::wake(const WakeGuest& a) {
    auto host = connect(a.home);
    if (runs(host->find(a.name))) throw Error(ErrorKind::refused, a.name + " is running already");
    refuse_foreign(*host, a.name, &a.pool);
    const auto memory = read_file(pool::snapshot(a.pool, a.name, a.snapshot) + "/" + memory_file, 64 << 20);
    if (!memory)
        throw Error(ErrorKind::failed, "snapshot " + a.snapshot + " has lost its " + memory_file,
                    "go back to its disks alone: clara-stop, clara-snapshot rollback, clara-start");
    host->forget_snapshots(a.name, snapshot_tag(""));
    try {
        host->wake(a.name, *memory);
    } catch (const Error& error) {
        start_failed(*host, {a.home, a.name, a.kind}, error);
    }
}

}  // namespace clara
