// Guests in a folder: local, NFS, Gluster or CephFS.
#pragma once
#include "clara/plan/drivers.hpp"

namespace clara {

/// Keeps no state: everything lies in the pool. The caller holds the guest's lock (POOL/locks/NAME).
///
///   make_disk, copy_disks -> .NAME.partial/   give_identity, fill_disk, write_spec   publish -> NAME/
///   remove_guest -> .NAME.removed -> gone
///
/// Nothing before publish() is fsynced; publish() makes all of it durable before the name appears.
class DirStorage : public StorageDriver {
  public:
    void clear_leftover(const ClearLeftover&) override;
    void reserve(const ReserveAddress&) override;
    void release(const ReleaseAddress&) override;
    void make_disk(const MakeDisk&) override;
    void copy_disks(const CopyDisks&) override;
    void fetch_disk(const FetchDisk&) override;
    void drop_fetched(const DropFetched&) override;
    void give_identity(const GiveIdentity&) override;
    void fill_disk(const FillDisk&) override;
    void write_spec(const WriteSpec&) override;
    void publish(const PublishGuest&) override;
    void remove_guest(const RemoveGuest&) override;
    void remove_partial(const std::string& pool, const std::string& name) override;
    std::string make_snapshot(const MakeSnapshot&) override;
    void publish_snapshot(const PublishSnapshot&) override;
    void remove_snapshot(const RemoveSnapshot&) override;
    void prepare_rollback(const PrepareRollback&) override;
    void switch_disk(const SwitchDisk&) override;
    void switch_disk_back(const SwitchDisk&) override;
};

}  // namespace clara
