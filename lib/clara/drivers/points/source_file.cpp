#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>

#include "clara/base/error.hpp"
#include "clara/base/units.hpp"
#include "clara/drivers/points/source.hpp"

namespace clara::points {
namespace {

class FileReader : public Source::Reader {
  public:
    explicit FileReader(int file) : file_(file) {}
    void read(std::uint64_t offset, char* to, std::size_t length) override {
        while (length > 0) {
            const ssize_t got = ::pread(file_, to, length, static_cast<off_t>(offset));
            if (got < 0 && errno == EINTR) continue;
            if (got <= 0)
                throw Error(ErrorKind::partial,
                            "the disk cannot be read at byte " + std::to_string(offset) + ": " +
                                (got == 0 ? "it has become shorter" : system_error("", errno).message()),
                            "look at the disk below the pool (dmesg, smartctl); earlier points are kept");
            offset += static_cast<std::uint64_t>(got);
            to += got;
            length -= static_cast<std::size_t>(got);
        }
    }

  private:
    int file_;
};

class FileSource : public Source {
  public:
    explicit FileSource(int file) : file_(file) {
        struct stat st {};
        if (::fstat(file, &st) != 0) throw system_error("cannot examine the disk", errno);
        size_ = static_cast<std::uint64_t>(st.st_size);
    }
    std::uint64_t size() const override { return size_; }
    std::vector<Extent> candidates() override { return {{0, size_}}; }
    std::vector<Extent> data(const Extent& within) override {
        std::vector<Extent> found;
        const auto end = static_cast<off_t>(std::min(size_, within.offset + within.length));
        for (auto at = static_cast<off_t>(within.offset); at < end;) {
            const off_t begin = ::lseek(file_, at, SEEK_DATA);
            if (begin < 0 && errno == ENXIO) break;
            if (begin < 0) throw system_error("cannot look for data in the disk", errno);
            if (begin >= end) break;
            const off_t hole = ::lseek(file_, begin, SEEK_HOLE);
            if (hole < 0) throw system_error("cannot look for holes in the disk", errno);
            at = std::min(hole, end);
            found.push_back({static_cast<std::uint64_t>(begin), static_cast<std::uint64_t>(at - begin)});
        }
        return found;
    }
    std::unique_ptr<Reader> reader() override { return std::make_unique<FileReader>(file_); }

  private:
    int file_;
    std::uint64_t size_ = 0;
};

}  // namespace

std::unique_ptr<Source> file_source(int file) {
    return std::make_unique<FileSource>(file);
}

}  // namespace clara::points
