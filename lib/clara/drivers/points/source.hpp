// A disk to be backed up, as blocks of one moment.
#pragma once
#include <cstdint>
#include <memory>
#include <string>
#include <vector>

namespace clara::points {

struct Extent {
    std::uint64_t offset = 0, length = 0;  ///< bytes
};

class Source {
  public:
    virtual ~Source() = default;
    virtual std::uint64_t size() const = 0;  ///< bytes
    /// Where something may have changed, ascending; with bitmaps from those, else all of the disk.
    virtual std::vector<Extent> candidates() = 0;
    /// Of an extent, what may be other than zero.
    virtual std::vector<Extent> data(const Extent& within) = 0;
    /// One for each thread that reads.
    class Reader {
      public:
        virtual ~Reader() = default;
        /// Error{partial} where the disk cannot be read: what is lost has to be looked into.
        virtual void read(std::uint64_t offset, char* to, std::size_t length) = 0;
    };
    virtual std::unique_ptr<Reader> reader() = 0;
};

/// A file of plain blocks with its holes; it stays open elsewhere.
std::unique_ptr<Source> file_source(int file);

/// What a QEMU serves over NBD on a Unix socket. With `bitmap`, changes are those it has.
std::unique_ptr<Source> nbd_source(const std::string& socket, const std::string& disk,
                                   const std::string& bitmap);

}  // namespace clara::points
