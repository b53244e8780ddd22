// Snapshots of a virtual machine in a pool of folders. The states of its disks lie in the disks themselves
// (drivers/disks/inner_snapshots); what else belongs to a snapshot is in
//   POOL/guests/NAME/snapshots/SNAP/{guest.yaml,snapshot.yaml,domain.xml,nvram.fd}
// The folder decides: it is .SNAP.partial until it is published, and a state in a disk without a folder is
// what a killed run has left.
#pragma once
#include "clara/plan/action.hpp"

namespace clara::vm_snapshots {

/// Error{refused} where others are linked to one of its disks, Error{busy} where it runs after all.
std::string make(const MakeSnapshot&);
void publish(const PublishSnapshot&);  ///< Error{failed}: a disk has no state of it
void remove(const RemoveSnapshot&);

/// Error{refused} that names those who are linked to a disk of the guest.
void refuse_linked(const std::string& pool, const std::string& guest);
/// What belongs to a snapshot beside the disks, from one folder to another: guest.yaml, domain.xml, nvram.fd.
/// Where `from` has a file not, `to` keeps its own. Not fsynced as folders.
void copy_parts(int from, int to);

}  // namespace clara::vm_snapshots
