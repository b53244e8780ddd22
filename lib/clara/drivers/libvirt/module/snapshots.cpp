// Snapshots of running domains.
#include <cstdlib>
#include <string_view>
#include <vector>

#include "clara/drivers/libvirt/module/api.hpp"

namespace clara::libvirt {
namespace {

void free_array(void* array) {
    std::free(array);
}

using Snapshot = Handle<virDomainSnapshot, virDomainSnapshotFree>;
using Checkpoint = Handle<virDomainCheckpoint, virDomainCheckpointFree>;

/// What libvirt keeps of a domain, each with its own handle.
template <class Owner, class List>
std::vector<Owner> all_of(virConnectPtr connection, virDomainPtr domain, List list_all, unsigned flags = 0) {
    typename Owner::pointer* list = nullptr;
    const int number = list_all(domain, &list, flags);
    if (number < 0) throw last_error("cannot list what libvirt keeps of the domain", connection);
    const Handle<typename Owner::pointer, free_array> array(list);
    std::vector<Owner> all;
    for (int i = 0; i < number; ++i) all.emplace_back(list[i]);
    return all;
}

void forget(virConnectPtr connection, virDomainSnapshotPtr snapshot) {
    if (::virDomainSnapshotDelete(snapshot, VIR_DOMAIN_SNAPSHOT_DELETE_METADATA_ONLY) != 0)
        throw last_error("cannot forget a snapshot", connection);
}

}  // namespace

std::string monitor(virConnectPtr connection, const std::string& name, const std::string& command) {
    const Domain domain = find_domain(connection, name);
    char* text = nullptr;
    const int done = ::virDomainQemuMonitorCommand(domain.get(), command.c_str(), &text, 0);
    const Text answer(text);
    if (done != 0) throw last_error("cannot talk to the qemu of " + name, connection);
    return answer.get();
}

std::string keep_memory(virConnectPtr connection, const std::string& name, const std::string& xml) {
    const Domain domain = find_domain(connection, name);
    const Snapshot made(::virDomainSnapshotCreateXML(domain.get(), xml.c_str(), 0));
    if (!made) throw last_error("cannot keep the memory of " + name, connection);
    const Text text(::virDomainSnapshotGetXMLDesc(made.get(), VIR_DOMAIN_SNAPSHOT_XML_SECURE));
    if (!text) throw last_error("cannot read what was kept of " + name, connection);
    forget(connection, made.get());
    return text.get();
}

void wake(virConnectPtr connection, const std::string& name, const std::string& xml) {
    const Domain domain = find_domain(connection, name);
    const Snapshot known(
        ::virDomainSnapshotCreateXML(domain.get(), xml.c_str(), VIR_DOMAIN_SNAPSHOT_CREATE_REDEFINE));
    if (!known) throw last_error("libvirt does not take the snapshot of " + name, connection);
    if (::virDomainRevertToSnapshot(known.get(), VIR_DOMAIN_SNAPSHOT_REVERT_RUNNING) != 0) {
        const Error error = last_error("libvirt did not wake " + name, connection);
        forget(connection, known.get());
        throw error;
    }
    forget(connection, known.get());
}

void forget_snapshots(virConnectPtr connection, const std::string& name, const std::string& prefix) {
    const Domain domain = find_domain(connection, name);
    for (const auto& one : all_of<Snapshot>(connection, domain.get(), ::virDomainListAllSnapshots)) {
        if (std::string_view(::virDomainSnapshotGetName(one.get())).starts_with(prefix))
            forget(connection, one.get());
    }
}

void forget_checkpoints(virConnectPtr connection, const std::string& name) {
    const Domain domain = find_domain(connection, name);
    for (const auto& one : all_of<Checkpoint>(connection, domain.get(), ::virDomainListAllCheckpoints)) {
        if (::virDomainCheckpointDelete(one.get(), VIR_DOMAIN_CHECKPOINT_DELETE_METADATA_ONLY) != 0)
            throw last_error("cannot forget a checkpoint of " + name, connection);
    }
}

std::vector<std::string> checkpoints(virConnectPtr connection, const std::string& name) {
    const Domain domain = find_domain(connection, name);
    std::vector<std::string> names;
    for (const auto& one : all_of<Checkpoint>(connection, domain.get(), ::virDomainListAllCheckpoints,
                                              VIR_DOMAIN_CHECKPOINT_LIST_TOPOLOGICAL))
        names.emplace_back(::virDomainCheckpointGetName(one.get()));
    return names;
}

void delete_checkpoint(virConnectPtr connection, const std::string& name, const std::string& checkpoint) {
    const Domain domain = find_domain(connection, name);
    const Checkpoint found(::virDomainCheckpointLookupByName(domain.get(), checkpoint.c_str(), 0));
    if (!found || ::virDomainCheckpointDelete(found.get(), 0) != 0)
        throw last_error("cannot delete checkpoint " + checkpoint + " of " + name, connection);
}

}  // namespace clara::libvirt
