// QEMU's monitor about the disks of a running guest ("QEMU QMP Reference Manual": query-named-block-nodes,
// transaction, blockdev-snapshot-internal-sync, blockdev-snapshot-delete-internal-sync). Pure but for
// stat(2).
#pragma once
#include <string>
#include <vector>

namespace clara {

inline constexpr const char* ask_for_nodes =
    R"({"execute":"query-named-block-nodes","arguments":{"flat":true}})";

/// Names of the nodes that are the qcow2 files, in their order. Error{failed} where QEMU has one of them not.
std::vector<std::string> nodes_of(const std::string& answer, const std::vector<std::string>& files);

/// One snapshot in each node, all at one moment or none.
std::string take_snapshots(const std::vector<std::string>& nodes, const std::string& tag);
std::string delete_snapshot(const std::string& node, const std::string& tag);

/// Commands that remove the dirty bitmaps whose names begin so, also those that a power cut has broken
/// (block-dirty-bitmap-remove); `answer` is to ask_for_nodes.
std::vector<std::string> remove_bitmaps(const std::string& answer, const std::string& prefix);

/// Error{failed} with QEMU's words where the answer is one.
void check_answer(const std::string& answer, const std::string& what);

}  // namespace clara
