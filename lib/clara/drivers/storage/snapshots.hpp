// Snapshots of a container in a pool of folders:
//   POOL/guests/NAME/snapshots/SNAP/{disk.raw,guest.yaml,snapshot.yaml}
//   .SNAP.partial is being made, .SNAP.removed removed; whoever has the guest's lock clears those of others.
#pragma once
#include "clara/base/handle.hpp"
#include "clara/ops/facts.hpp"
#include "clara/plan/action.hpp"

namespace clara::snapshots {

std::string make(const MakeSnapshot&);
void publish(const PublishSnapshot&);
void remove(const RemoveSnapshot&);

/// The disk as it is now in a file that has no name any more; of `a`, pool, guest, mount and limits matter.
struct NowCopy {
    Fd disk;
    std::string note;  ///< as of make()
};
NowCopy copy_now(const MakeSnapshot& a);

/// The folder of a guest's snapshots, made where it is missing, without what killed runs have left there.
Fd open_clean(const std::string& pool, const std::string& guest);
/// A new partial folder in it.
Fd make_partial(int snapshots, const std::string& name);
/// A copy of guest.yaml, readable by as many as the original.
void copy_spec(int from, int to);
void write_info(int snapshot, const SnapshotInfo& info);
/// fsyncs what is in the partial folder and gives it its name.
void publish_folder(int snapshots, const std::string& name);

}  // namespace clara::snapshots
