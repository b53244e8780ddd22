#include "clara/drivers/disks/qcow2_snapshots.hpp"

#include <fcntl.h>
#include <fmt/format.h>
#include <unistd.h>

#include <cerrno>

#include "clara/base/error.hpp"
#include "clara/base/handle.hpp"
#include "clara/drivers/disks/qcow2_header.hpp"

namespace clara {
namespace {

constexpr std::uint32_t most_snapshots = 65536;  // QEMU's own limits (block/qcow2.h)
constexpr std::size_t largest_table = 64 << 20;
constexpr std::size_t entry_head = 40, largest_extra = 1024;  // bytes

/// Big-endian numbers of the file, each read where it lies.
class Table {
  public:
    Table(int fd, const std::string& path) : fd_(fd), path_(path) {}

    std::string bytes(std::uint64_t at, std::size_t length) const {
        std::string text(length, '\0');
        const ssize_t got = ::pread(fd_, text.data(), length, static_cast<off_t>(at));
        if (got < 0) throw system_error("cannot read " + path_, errno);
        if (static_cast<std::size_t>(got) < length) refuse("its table of snapshots goes on past its end");
        return text;
    }
    static std::uint64_t number(const std::string& text, std::size_t at, std::size_t width) {
        std::uint64_t value = 0;
        for (std::size_t i = 0; i < width; ++i) value = value << 8 | static_cast<unsigned char>(text[at + i]);
        return value;
    }
    [[noreturn]] void refuse(const std::string& why) const {
        throw Error(ErrorKind::refused, fmt::format("{} is not a sound qcow2 file: {}", path_, why));
    }

  private:
    int fd_;
    const std::string& path_;
};

}  // namespace

std::vector<InnerSnapshot> read_inner_snapshots(const std::string& path) {
    const Fd fd(::open(path.c_str(), O_RDONLY | O_CLOEXEC | O_NONBLOCK));
    if (!fd) throw system_error("cannot open " + path, errno);
    read_qcow2_header(fd.get(), path);  // that it is one
    const Table table(fd.get(), path);
    const std::string where = table.bytes(60, 12);
    const std::uint64_t count = Table::number(where, 0, 4), begin = Table::number(where, 4, 8);
    if (count > most_snapshots) table.refuse(fmt::format("{} snapshots", count));
    std::vector<InnerSnapshot> all;
    for (std::uint64_t at = begin, i = 0; i < count; ++i) {
        if (at > begin + largest_table) table.refuse("its table of snapshots is too long");
        const std::string head = table.bytes(at, entry_head);
        const std::size_t id = Table::number(head, 12, 2), name = Table::number(head, 14, 2);
        const std::size_t extra = Table::number(head, 36, 4);
        if (extra > largest_extra) table.refuse("a snapshot with too much about it");
        const std::string rest = table.bytes(at + entry_head, extra + id + name);
        InnerSnapshot& one = all.emplace_back();
        one.name = rest.substr(extra + id);
        // The field of four bytes is what a version 2 file has; the extra one replaces it.
        one.vm_state = extra >= 8 ? Table::number(rest, 0, 8) : Table::number(head, 32, 4);
        at += (entry_head + rest.size() + 7) & ~std::size_t{7};
    }
    return all;
}

}  // namespace clara
