// Guests that are copies: their disks, and who they are.
#pragma once
#include "clara/plan/action.hpp"

namespace clara::cloning {

/// The disks of one guest belong together: all are held before the first is copied. What is there to be
/// copied by libvirt (a domain that runs) is left to it; then only the folder is made, and nvram.fd in it.
void copy_disks(const CopyDisks& a);

/// In the guest's partial folder.
void give_identity(const GiveIdentity& a);

}  // namespace clara::cloning
