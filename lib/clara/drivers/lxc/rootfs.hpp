// A guest's root file system: overlay of its own disk above an image that all guests of the host share.
//   RUN/images/ID/base          the image, once a boot, its digest verified before
//   RUN/images/ID/100000        the same with ids mapped for guests whose root is host user 100000
//   RUN/guests/NAME/disk        the guest's disk.raw; its loop device holds the lock
//   RUN/guests/NAME/rootfs      the overlay that LXC is told
//   RUN/guests/NAME/dev         device nodes
#pragma once
#include <string>

#include "clara/base/handle.hpp"
#include "clara/spec/guest.hpp"

namespace clara {

/// Host ids of a guest: its user n is `base` + n. Privileged guests have none.
struct IdRange {
    unsigned base = 0, count = 0;
    bool mapped() const { return count != 0; }
};

/// The image's files, attached nowhere. What was verified is what is mounted: Error{refused} where the image
/// is absent, or its content is not what its name says.
Fd open_image(const std::string& pool, const std::string& id);

/// Mounts the image where it is not yet; returns the folder to put below an overlay. Safe when many ask at
/// once. Error{refused} where the image's content is not what its name says.
std::string mount_image(const std::string& pool, const std::string& id, const std::string& run_dir,
                        IdRange ids);

/// `disk` is the open, locked disk.raw. What was mounted before a failure stays: unmount_guest() clears it.
void mount_guest(const GuestSpec& spec, int disk, const std::string& lower, const std::string& run_dir,
                 IdRange ids);

/// Unmounts all of one guest's; true where there was something.
bool unmount_guest(const std::string& run_dir, const std::string& name);

/// The program that is the guest's process 1, at RUN/bin/clara-init: a place the ids of all guests can reach.
void provide_init(const std::string& run_dir);

}  // namespace clara
