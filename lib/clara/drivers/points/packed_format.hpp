// The parts of QEMU's docs/interop/qcow2.txt that packed disks consist of; all numbers are big endian.
#pragma once
#include <endian.h>

#include <cstdint>
#include <cstring>
#include <string>
#include <string_view>

#include "clara/drivers/points/packed.hpp"

namespace clara::points::format {

constexpr std::uint32_t magic = 0x514649fb, version = 3, header_length = 112;
constexpr std::uint64_t needs_compression_type = 1 << 3;  // incompatible feature bit
constexpr char zstd_type = 1;
constexpr unsigned refcount_order = 4;                     // 16 bits
constexpr std::uint64_t table_entries = cluster_size / 8;  // of an L2 table, and of the refcount table
constexpr std::uint64_t block_entries = cluster_size / 2;  // of a refcount block
constexpr std::uint64_t copied = std::uint64_t{1} << 63, compressed = std::uint64_t{1} << 62, zero = 1;
constexpr unsigned length_shift = 62 - (cluster_bits - 8);  // of the further sectors of a compressed cluster
constexpr std::uint64_t offset_mask = 0x00fffffffffffe00;   // of a plain cluster or a table
constexpr std::uint64_t sector = 512;

// Where the header's fields are.
constexpr std::size_t at_version = 4, at_backing = 8, at_backing_length = 16, at_cluster_bits = 20,
                      at_size = 24, at_encryption = 32, at_l1_entries = 36, at_l1 = 40, at_refcounts = 48,
                      at_refcount_clusters = 56, at_snapshots = 60, at_incompatible = 72,
                      at_refcount_order = 96, at_length = 100, at_compression = 104;
constexpr std::uint32_t extension_backing_format = 0xe2792aca;

inline std::uint64_t get64(std::string_view text, std::size_t at) {
    std::uint64_t number = 0;
    std::memcpy(&number, text.data() + at, 8);
    return be64toh(number);
}
inline std::uint32_t get32(std::string_view text, std::size_t at) {
    std::uint32_t number = 0;
    std::memcpy(&number, text.data() + at, 4);
    return be32toh(number);
}
inline void put64(std::string& text, std::size_t at, std::uint64_t number) {
    number = htobe64(number);
    std::memcpy(text.data() + at, &number, 8);
}
inline void put32(std::string& text, std::size_t at, std::uint32_t number) {
    number = htobe32(number);
    std::memcpy(text.data() + at, &number, 4);
}
inline void put16(std::string& text, std::size_t at, std::uint16_t number) {
    number = htobe16(number);
    std::memcpy(text.data() + at, &number, 2);
}

inline std::uint64_t up(std::uint64_t number, std::uint64_t unit) {
    return (number + unit - 1) / unit;
}

}  // namespace clara::points::format
