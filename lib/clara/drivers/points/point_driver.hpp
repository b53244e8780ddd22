// Restore points of this host's guests, in stores that are folders: local, NFS, Gluster or CephFS.
#pragma once
#include "clara/drivers/libvirt/driver.hpp"
#include "clara/plan/drivers.hpp"

namespace clara {

/// Keeps no state but the locks: from make() to publish(), discard() or a failed prove() the guest's points
/// are locked in the store, against other hosts.
class StorePoints : public PointDriver {
  public:
    StorePoints(LibvirtDriver& libvirt, std::string run_dir);
    ~StorePoints() override;

    void copy_image(const CopyImage& a) override;
    std::string make(const MakePoint& a) override;
    void discard(const MakePoint& a) override;
    void prove(const ProvePoint& a) override;
    void publish(const PublishPoint& a) override;
    void remove(const RemovePoint& a) override;
    void restore(const RestorePoint& a) override;
    void drop_restored(const RestorePoint& a) override;
    void swap(const SwapGuest& a) override;
    void swap_back(const SwapGuest& a) override;
    void drop_replaced(const DropReplaced& a) override;
    void hold(const HoldPoint& a) override;
    void copy(const CopyPoint& a) override;

  private:
    struct Locks;
    LibvirtDriver& libvirt_;
    std::string run_dir_;
    std::unique_ptr<Locks> locks_;
};

}  // namespace clara
