#include "clara/drivers/storage/same_bytes.hpp"

#include <linux/fs.h>
#include <sys/ioctl.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <cstring>
#include <vector>

#include "clara/base/interrupt.hpp"

namespace clara {
namespace {

constexpr std::size_t piece = 256 << 10;  // two of them stay in the processor's second cache
constexpr std::size_t page = 4096;

/// The next byte of data at or after `at`, `size` where there is none.
std::uint64_t next_data(int fd, std::uint64_t at, std::uint64_t size) {
    const off_t found = ::lseek(fd, static_cast<off_t>(at), SEEK_DATA);
    if (found < 0 && errno != ENXIO) throw system_error("cannot find data", errno);
    return found < 0 ? size : std::min(size, static_cast<std::uint64_t>(found));
}

std::uint64_t end_of_data(int fd, std::uint64_t at, std::uint64_t size) {
    const off_t found = ::lseek(fd, static_cast<off_t>(at), SEEK_HOLE);
    if (found < 0 && errno != ENXIO) throw system_error("cannot find the end of data", errno);
    return found < 0 ? size : std::min(size, static_cast<std::uint64_t>(found));
}

/// Zeros beyond the end of the file.
void read_at(int fd, std::uint64_t at, char* into, std::size_t size) {
    for (std::size_t have = 0; have < size;) {
        const ssize_t got = ::pread(fd, into + have, size - have, static_cast<off_t>(at + have));
        if (got < 0 && errno == EINTR) continue;
        if (got < 0)
            throw DiskUnreadable("the disk cannot be read at byte " + std::to_string(at + have) +
                                 system_error("", errno).message());
        if (got == 0) {
            std::memset(into + have, 0, size - have);
            return;
        }
        have += static_cast<std::size_t>(got);
    }
}

}  // namespace

void write_at(int fd, std::uint64_t at, std::string_view bytes) {
    while (!bytes.empty()) {
        const ssize_t put = ::pwrite(fd, bytes.data(), bytes.size(), static_cast<off_t>(at));
        if (put < 0 && errno == EINTR) continue;
        if (put < 0) throw system_error("cannot write", errno);
        bytes.remove_prefix(static_cast<std::size_t>(put));
        at += static_cast<std::uint64_t>(put);
    }
}

void differences(int from, int to, std::uint64_t size, const Difference& tell) {
    std::vector<char> wanted(piece), present(piece);
    auto compare = [&](std::uint64_t at, std::size_t length) {
        read_at(from, at, wanted.data(), length);
        read_at(to, at, present.data(), length);
        if (std::memcmp(wanted.data(), present.data(), length) == 0) return;
        for (std::size_t begin = 0; begin < length;) {
            auto differs = [&](std::size_t where) {
                return std::memcmp(wanted.data() + where, present.data() + where,
                                   std::min(page, length - where)) != 0;
            };
            std::size_t end = begin;
            while (end < length && differs(end)) end = std::min(length, end + page);
            if (end > begin) tell(at + begin, {wanted.data() + begin, end - begin});
            begin = std::min(length, end + page);
        }
    };
    for (std::uint64_t at = 0; at < size;) {
        const std::uint64_t ours = next_data(from, at, size), theirs = next_data(to, at, size);
        at = std::min(ours, theirs);
        if (at == size) return;
        std::uint64_t end = at;
        if (ours == at) end = std::max(end, end_of_data(from, at, size));
        if (theirs == at) end = std::max(end, end_of_data(to, at, size));
        for (; at < end; at += piece) {
            throw_if_interrupted();
            compare(at, static_cast<std::size_t>(std::min<std::uint64_t>(piece, end - at)));
        }
        at = end;
    }
}

void copy_disk(int from, int to) {
    if (::ioctl(to, FICLONE, from) == 0) return;
    struct stat st {};
    if (::fstat(from, &st) != 0 || ::ftruncate(to, st.st_size) != 0)
        throw system_error("cannot make the copy", errno);
    differences(from, to, static_cast<std::uint64_t>(st.st_size),
                [to](std::uint64_t at, std::string_view bytes) { write_at(to, at, bytes); });
}

}  // namespace clara
