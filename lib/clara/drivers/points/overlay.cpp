#include "clara/drivers/points/overlay.hpp"

#include <fcntl.h>
#include <fmt/format.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>

#include "clara/base/error.hpp"
#include "clara/drivers/points/seen_disk.hpp"

namespace clara::points {
namespace {

constexpr const char* folder = "/var/tmp";  // on a disk: a journal may be of a gigabyte
constexpr std::size_t block = 4096;         // bytes that are written as one

void read_all(int file, std::uint64_t at, char* to, std::size_t length) {
    while (length > 0) {
        const ssize_t got = ::pread(file, to, length, static_cast<off_t>(at));
        if (got < 0 && errno == EINTR) continue;
        if (got <= 0) throw system_error("cannot read what was written", got == 0 ? EIO : errno);
        at += static_cast<std::uint64_t>(got);
        to += got;
        length -= static_cast<std::size_t>(got);
    }
}

void write_all(int file, std::uint64_t at, std::string_view bytes) {
    while (!bytes.empty()) {
        const ssize_t put = ::pwrite(file, bytes.data(), bytes.size(), static_cast<off_t>(at));
        if (put < 0 && errno == EINTR) continue;
        if (put < 0) throw system_error(std::string("cannot write to ") + folder, errno);
        at += static_cast<std::uint64_t>(put);
        bytes.remove_prefix(static_cast<std::size_t>(put));
    }
}

}  // namespace

Overlay::Overlay(SeenDisk& disk, std::uint64_t offset, std::uint64_t length)
    : disk_(disk),
      offset_(offset),
      size_(length),
      file_(::open(folder, O_TMPFILE | O_RDWR | O_CLOEXEC, 0600)) {
    if (!file_) throw system_error(std::string("cannot make a file in ") + folder, errno);
}

void Overlay::fill(std::uint64_t at, char* to, std::size_t length) {
    while (length > 0) {
        const bool written = written_.count(at / block) > 0;
        std::size_t part = std::min(length, block - at % block);
        while (part < length && (written_.count((at + part) / block) > 0) == written)
            part = std::min(length, part + block);
        if (written)
            read_all(file_.get(), at, to, part);
        else
            disk_.read(offset_ + at, to, part);
        at += part;
        to += part;
        length -= part;
    }
}

std::string_view Overlay::read(std::uint64_t at, std::size_t length) {
    if (at >= size_) return {};
    length = std::min<std::uint64_t>(length, size_ - at);
    if (answer_.size() < length) answer_.resize(length);
    fill(at, answer_.data(), length);
    return {answer_.data(), length};
}

void Overlay::write(std::uint64_t at, std::string_view bytes) {
    if (at > size_ || bytes.size() > size_ - at)
        throw Error(ErrorKind::failed, fmt::format("a write behind byte {}", size_));
    while (!bytes.empty()) {
        const std::uint64_t first = at - at % block;
        const std::size_t part = std::min(bytes.size(), block - static_cast<std::size_t>(at - first));
        if (part < block && written_.count(first / block) == 0) {
            char whole[block] = {};
            fill(first, whole, std::min<std::uint64_t>(block, size_ - first));
            write_all(file_.get(), first, {whole, block});
        }
        write_all(file_.get(), at, bytes.substr(0, part));
        written_.insert(first / block);
        at += part;
        bytes.remove_prefix(part);
    }
}

}  // namespace clara::points
