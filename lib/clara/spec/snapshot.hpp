// A snapshot of a guest, as its snapshot.yaml tells it.
#pragma once
#include <cstdint>
#include <string>

namespace clara {

struct SnapshotInfo {
    std::string name;          ///< as a guest's: at-20261123-083932
    std::string time;          ///< when it was begun, UTC, ISO 8601
    std::string comment;       ///< one line of free text
    std::string state;         ///< of the guest then: stopped, starting, running
    std::string who;           ///< caller() of the run that made it
    bool keep = false;         ///< never removed to make room for newer ones
    std::uint64_t size = 0;    ///< bytes it took when it was made
    std::uint64_t memory = 0;  ///< kvm: bytes of memory and devices that are kept with it; 0: the disks alone
};

/// The text of snapshot.yaml; read_snapshot_info() gives the same back.
std::string write_snapshot_info(const SnapshotInfo& info);
/// Throws Error{usage} that names `where` and line of what is wrong.
SnapshotInfo read_snapshot_info(const std::string& yaml, const std::string& where);

/// Names that rollbacks give to what they replace; people's own snapshots have others.
bool is_rollback_name(const std::string& name);

/// What is wrong with the name of a new snapshot; empty where nothing is.
std::string snapshot_name_problem(const std::string& name);

/// at-20261123-083932 of 2026-11-23T08:39:32Z
std::string snapshot_name(const std::string& time);

}  // namespace clara
