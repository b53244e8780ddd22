// A part of a point's disk that can be written to, while the point stays as it is.
#pragma once
#include <cstdint>
#include <string>
#include <string_view>
#include <unordered_set>

#include "clara/base/handle.hpp"

namespace clara::points {

class SeenDisk;

/// What is written lies in a file without a name. One thread at a time.
class Overlay {
  public:
    /// `length` bytes of it from `offset` on.
    Overlay(SeenDisk& disk, std::uint64_t offset, std::uint64_t length);
    std::uint64_t size() const { return size_; }
    /// Fewer bytes at the end. They are there until the next call.
    std::string_view read(std::uint64_t at, std::size_t length);
    /// Error{failed} behind the end, or where there is no room.
    void write(std::uint64_t at, std::string_view bytes);

  private:
    void fill(std::uint64_t at, char* to, std::size_t length);

    SeenDisk& disk_;
    std::uint64_t offset_, size_;
    Fd file_;
    std::unordered_set<std::uint64_t> written_;  ///< blocks
    std::string answer_;
};

}  // namespace clara::points
