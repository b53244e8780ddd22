// Points are removed from under others that stand on them.
#pragma once
#include <string>
#include <vector>

#include "clara/drivers/points/pace.hpp"
#include "clara/drivers/points/packed.hpp"
#include "clara/drivers/points/sums.hpp"
#include "clara/spec/point.hpp"

namespace clara::points {

/// Writes what a guest sees through several files, the newest first, into one that stands on `backing`. What
/// is stored is copied as it is: nothing is compressed anew. Without a backing file zeros are left out.
PointFile merge_packed(const std::vector<const PackedReader*>& newest_first, PackedWriter& to, bool backed,
                       Pace* pace = nullptr);

/// The same as a point's disk: into the folder `to`, with the digests `sums` of all that `from` have. `disk`
/// and `files` get what the manifest tells of it. `backing` as written; empty: none.
struct Merging {
    std::vector<const PackedReader*> from;  ///< the newest first
    Sums sums;
    std::string backing;
    Pace* pace = nullptr;
};
void write_merged(int to, Merging what, PointDisk& disk, std::vector<PointFile>& files);

/// A point's disk as it lies in the store. Error{failed} where it is damaged.
PackedReader open_packed(int folder, const std::string& file);
Sums load_sums(int folder, const std::string& disk);
/// disk.sums of disk.qcow2
std::string sums_file(const std::string& disk);

/// What a guest sees of a point's disk: its own digests over those it stands on.
Sums whole_sums(const std::string& store, const PointInfo& point, const std::string& disk,
                const std::vector<Point>& points);

/// What is wrong with a point whose disks were put together of others', in the open folder: its files against
/// their digests, every block, and what the guest sees (PointDisk::content). It stands on info.parent, one of
/// `points` of that store. Error{failed}: that one is missing.
std::vector<std::string> verify_merged(const std::string& store, int folder, const PointInfo& info,
                                       const std::vector<Point>& points);

/// Error{refused} where disks of a guest stand on it.
void refuse_held(const Point& point);

/// Removes the point, which refuse_held() has nothing against. Those that stood on it get what they need of
/// it first: each as .NAME.merged, read again from the store, then in one step in its place, with the same
/// content as before. A kill at any moment leaves all points readable. The caller has lock_points(); `points`
/// are all of the guest, with ranges.
void remove_point(const std::string& store, const std::string& guest, const std::string& name,
                  const std::vector<Point>& points);

}  // namespace clara::points
