// What lies in which cluster of a disk, by digest: disk.sums beside disk.qcow2.
//
//   "clarasum" | u32 1 | u32 cluster bits | u64 count | count x { u64 cluster | 32 bytes SHA-256 }
//
// All little endian, clusters ascending; a cluster of zeros has 32 bytes of zero in place of its digest.
#pragma once
#include <array>
#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

namespace clara::points {

using Digest = std::array<unsigned char, 32>;
inline constexpr Digest zero_digest{};

struct Sum {
    std::uint64_t cluster = 0;
    Digest digest{};
    bool operator==(const Sum&) const = default;
};
using Sums = std::vector<Sum>;  ///< clusters ascending

/// SHA-256; thread-safe.
Digest digest_of(std::string_view bytes);
std::string hex(const Digest& digest);

std::string write_sums(const Sums& sums);
/// Error{failed} that names `where`.
Sums read_sums(std::string_view text, const std::string& where);

/// `newer` over `older`: what a guest sees of a point and all it stands on.
Sums merged(const Sums& older, const Sums& newer);

/// nullptr: nothing is known of that cluster, which is zero then.
const Digest* find(const Sums& sums, std::uint64_t cluster);

/// PointDisk::content: SHA-256, hex, over all records but those of zeros.
std::string content_of(const Sums& sums);

}  // namespace clara::points
