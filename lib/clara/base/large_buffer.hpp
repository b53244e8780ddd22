// Memory for megabytes that are read or written in one go.
#pragma once
#include <sys/mman.h>

#include <cstddef>
#include <cstdlib>
#include <memory>
#include <new>
#include <string_view>

#include "clara/base/handle.hpp"

namespace clara {

/// On huge pages where the host has them: a page fault per 4 KiB costs more than to fill it, most of all in a
/// virtual machine. Aligned for O_DIRECT. Nobody has written to it at first.
class LargeBuffer {
  public:
    explicit LargeBuffer(std::size_t size)
        : bytes_(static_cast<char*>(std::aligned_alloc(huge, (size + huge - 1) / huge * huge))), size_(size) {
        if (!bytes_) throw std::bad_alloc();
        ::madvise(bytes_.get(), (size + huge - 1) / huge * huge, MADV_HUGEPAGE);  // advice, no more
    }
    char* data() const { return bytes_.get(); }
    std::size_t size() const { return size_; }
    std::string_view first(std::size_t length) const { return {bytes_.get(), length}; }

  private:
    static constexpr std::size_t huge = std::size_t{2}
                                        << 20;  // bytes, of x86-64 and of arm64 with 4 KiB pages
    std::unique_ptr<char, FreeWith<std::free>> bytes_;
    std::size_t size_;
};

}  // namespace clara
