// The snapshots inside a qcow2 file, read by ourselves: no process a disk, and without QEMU's lock, as a
// guest that runs has it. Format: QEMU docs/interop/qcow2.txt, "Snapshots". Nothing in the file is believed
// unseen.
#pragma once
#include <cstdint>
#include <string>
#include <vector>

namespace clara {

struct InnerSnapshot {
    std::string name;            ///< its tag
    std::uint64_t vm_state = 0;  ///< bytes of memory and devices that are kept with it; 0: the disk alone
};

/// In the file's order. Error{refused} where the table is not sound.
std::vector<InnerSnapshot> read_inner_snapshots(const std::string& path);

}  // namespace clara
