// Empty ext4 disks, fast: formatted once per size, copied with their holes, given an identity of their own.
#pragma once
#include <cstdint>
#include <string>

namespace clara {

/// Smallest disk that holds ext4 with its journal and a few files.
constexpr std::uint64_t least_disk = 8ULL << 20;

/// Makes the file `name` in the folder `dirfd` (it must not exist): an empty ext4 of `size` bytes with its
/// own UUID. The formatted original is kept as `cache_dir`/blank-SIZE.ext4 and made where it is missing.
void make_blank_disk(int dirfd, const std::string& name, std::uint64_t size, const std::string& cache_dir);

}  // namespace clara
