// Compressed qcow2 files as restore points have them, written and read by ourselves: once, in order, with the
// digests of what is stored computed on the way; and merged without being compressed anew. Format: QEMU
// docs/interop/qcow2.txt, version 3, compression type zstd. `qemu-img` opens them as any other.
#pragma once
#include <cstdint>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "clara/base/handle.hpp"
#include "clara/spec/point.hpp"

namespace clara::points {

constexpr unsigned cluster_bits = 16;
constexpr std::size_t cluster_size = std::size_t{1} << cluster_bits;  // bytes

/// Appends clusters in ascending order to an empty file. Nothing but finish() makes it a qcow2.
class PackedWriter {
  public:
    /// `size`: bytes the guest sees. `backing`: as written, e.g. ../20261125T063300Z/disk.qcow2; empty: none.
    PackedWriter(int file, std::uint64_t size, const std::string& backing);
    ~PackedWriter();
    PackedWriter(const PackedWriter&) = delete;
    PackedWriter& operator=(const PackedWriter&) = delete;

    void add_compressed(std::uint64_t cluster,
                        std::string_view frame);                      ///< a zstd frame of 64 KiB of content
    void add_plain(std::uint64_t cluster, std::string_view content);  ///< 64 KiB that do not compress
    void add_zero(std::uint64_t cluster);                             ///< hides what the backing file has
    /// Writes the tables and the header, fsyncs. Returns size and digests of what is stored; its name is the
    /// caller's.
    PointFile finish();

  private:
    struct Parts;
    std::unique_ptr<Parts> parts_;
};

/// One such file. Nothing in it is believed unseen: Error{failed} says what is wrong and where.
class PackedReader {
  public:
    PackedReader(Fd file, std::string name);
    enum class Kind { absent, zero, plain, compressed };
    struct Cluster {
        std::uint64_t index = 0;
        Kind kind = Kind::absent;
        std::uint64_t offset = 0;  ///< in the file, of plain and compressed ones
        std::size_t length = 0;    ///< bytes there; of compressed ones up to the end of their last sector
    };
    bool backed() const { return !backing_.empty(); }        ///< it stands on another file
    const std::string& backing() const { return backing_; }  ///< as written; empty: none
    std::uint64_t size() const { return size_; }             ///< bytes the guest sees
    const std::vector<Cluster>& clusters() const {
        return clusters_;
    }  ///< those that are not absent, ascending
    /// What is stored: 64 KiB, or exactly the zstd frame. Thread-safe.
    std::string stored(const Cluster& cluster) const;
    /// 64 KiB of content. Thread-safe.
    void content(const Cluster& cluster, char* to) const;

  private:
    Fd file_;
    std::string name_, backing_;
    std::uint64_t size_ = 0;
    std::vector<Cluster> clusters_;
};

}  // namespace clara::points
