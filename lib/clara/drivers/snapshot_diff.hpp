// What a guest has changed on its disk since a snapshot, or from one to another.
#pragma once
#include <chrono>
#include <string>
#include <vector>

#include "clara/ops/tree_diff.hpp"
#include "clara/spec/site.hpp"

namespace clara {

struct DiffRequest {
    std::string pool, guest;
    std::string from;  ///< a snapshot
    std::string to;    ///< a snapshot; empty: the disk as it is now
    std::chrono::milliseconds lock_wait{0};
};

/// "Now" is a copy of one moment, as a snapshot would be, that is gone when it has been read; of a guest that
/// runs without what its programs have not yet handed to the kernel. Nothing is mounted but the image.
/// Error{refused} where the two stand on different images. Of a virtual machine: drivers/vm_diff.
std::vector<TreeChange> diff_snapshots(const Site& site, const DiffRequest& request);

}  // namespace clara
