// What the guest sees of a point's disk, read through all files it stands on.
#pragma once
#include <cstdint>
#include <list>
#include <string>
#include <unordered_map>
#include <vector>

#include "clara/drivers/points/packed.hpp"

namespace clara::points {

/// One thread at a time.
class SeenDisk {
  public:
    /// The newest file; the others by the names in their headers. Error{failed} where one is damaged.
    explicit SeenDisk(const std::string& file);
    std::uint64_t size() const { return chain_.front().size(); }  ///< bytes
    /// Zeros where nothing was ever written. Error{failed} where it cannot be read.
    void read(std::uint64_t offset, char* to, std::size_t length);

  private:
    struct Place {
        const PackedReader* reader;
        const PackedReader::Cluster* cluster;
    };
    struct Content {
        std::uint64_t cluster;
        std::string bytes;
    };
    const std::string* content(std::uint64_t cluster);

    std::vector<PackedReader> chain_;  ///< the newest first
    std::unordered_map<std::uint64_t, Place> places_;
    std::list<Content> recent_;  ///< used last first
    std::unordered_map<std::uint64_t, std::list<Content>::iterator> known_;
};

}  // namespace clara::points
