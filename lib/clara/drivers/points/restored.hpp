// From a restore point to a guest's folder. All that is needed beside the point is qemu-img.
#pragma once
#include "clara/plan/action.hpp"

namespace clara::points {

/// POOL/guests/.NAME.partial, or .NAME.restored with guest.yaml, with the point's disks.
void restore(const RestorePoint& a);
void drop_restored(const RestorePoint& a);

/// NAME <-> .NAME.restored, in one rename where the file system can; NAME becomes .NAME.replaced. Snapshots
/// of a container come along. A run killed in between is finished, or taken back, by recover().
void swap(const SwapGuest& a);
void swap_back(const SwapGuest& a);
void drop_replaced(const DropReplaced& a);

/// What a run that was killed within swap() has left is brought in order: NAME is whole again.
void recover(const std::string& pool, const std::string& name);

}  // namespace clara::points
