// A disk that was made larger than the image it stands on: the root partition and its file system follow.
#pragma once

namespace guest {

/// Only where the root is ext4 on the last partition of a disk with an MBR, as clara-image makes them;
/// anything else is left as it is. Throws std::runtime_error.
void grow_root();

}  // namespace guest
