// A restore point: what its manifest.json and state.json tell. Format: docs/backup.md.
#pragma once
#include <cstdint>
#include <string>
#include <vector>

namespace clara {

/// A file of a point and the digests of its stored bytes.
struct PointFile {
    std::string name;                 ///< e.g. disk.qcow2
    std::uint64_t size = 0;           ///< bytes
    std::vector<std::string> ranges;  ///< SHA-256 of each `digest_range` bytes, hex; the last may be shorter
};
constexpr std::uint64_t digest_range = 4 << 20;

struct PointDisk {
    std::string file;           ///< disk.qcow2, disk2.qcow2
    std::string target;         ///< of a domain: which of its disks, e.g. vda; empty: a container's
    std::uint64_t size = 0;     ///< bytes the guest sees
    std::uint64_t data = 0;     ///< bytes of it that are not zero, in whole clusters
    std::uint64_t changed = 0;  ///< bytes, in whole clusters, that differ from the parent and lie here
    std::uint64_t zeroed = 0;   ///< of these, bytes that are zero now
    std::uint64_t dense = 0;  ///< of these, bytes of clusters that could not be compressed: random, encrypted
    std::uint64_t read = 0;   ///< bytes that were read from the guest's disk
    std::string content;      ///< SHA-256, hex, of what the guest sees (points/sums.hpp); merges keep it
};

/// manifest.json
struct PointInfo {
    std::string guest, name;   ///< name: 20261125T063300Z
    std::uint64_t number = 0;  ///< 1, 2, 3 ...: the order of a guest's points, whatever its clock says
    std::string time;          ///< when it was begun, UTC, ISO 8601
    std::string kind;          ///< lxc | kvm
    std::string born;          ///< GuestSpec::created: a later guest of the same name has another
    std::string image;         ///< NAME@DIGEST that a container needs beside it; empty: nothing
    std::string parent;        ///< point it stands on; empty: a full one
    std::string
        full_because;  ///< why it is full, or why all was read: "the first", "bitmap of vda is missing"
    std::string
        moment;  ///< how the copy is of one moment: "no write was blocked", "running, as after a power cut"
    std::string host, who;  ///< where it was made, and caller() of the run
    std::vector<PointDisk> disks;
    std::vector<PointFile> files;  ///< all but manifest.json and state.json, sorted by name
};

/// state.json
struct PointState {
    bool is_protected = false;            ///< never removed by rotation
    std::string note;                     ///< one line of free text
    std::string verified;                 ///< when it was last seen to be sound, UTC; empty: never
    std::vector<std::string> damage;      ///< what the last look has found wrong; empty: nothing
    std::vector<std::string> quarantine;  ///< why it is not trusted; empty: it is
    std::vector<std::string> holders;     ///< whose disks stand on it: "HOST:POOL/guests/NAME"
};

/// A point as a listing shows it.
struct Point {
    PointInfo info;
    PointState state;
    std::string problem;       ///< why its manifest cannot be believed; then only guest and name are known
    std::uint64_t stored = 0;  ///< bytes its files take
    bool good() const { return problem.empty() && state.damage.empty() && state.quarantine.empty(); }
    bool proven() const { return good() && !state.verified.empty(); }
};

/// nullptr where there is none of that name.
const Point* find_point(const std::string& name, const std::vector<Point>& points);

/// What libvirt's checkpoints are called that begin at a point: clara-20261125T063300Z. All that begin so are
/// ours.
inline constexpr const char* checkpoint_prefix = "clara-";

/// 20261125T063300Z of 2026-11-25T06:33:00Z
std::string point_name(const std::string& time);
bool is_point_name(const std::string& name);

}  // namespace clara
