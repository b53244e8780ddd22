#include "clara/drivers/disks/qcow2_header.hpp"

#include <fcntl.h>
#include <fmt/format.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>

#include "clara/base/error.hpp"
#include "clara/base/handle.hpp"

namespace clara {
namespace {

constexpr std::string_view magic{"QFI\xfb", 4};
constexpr std::size_t header_v2 = 72, header_v3 = 104;  // bytes
constexpr std::size_t longest_name = 1023;              // bytes of the backing file's name
constexpr std::uint64_t largest_disk = 1ULL << 56;      // what QEMU's tables can address
constexpr std::uint32_t end_of_extensions = 0, backing_format_extension = 0xe2792aca;

[[noreturn]] void refuse(std::string why) {
    throw Error(ErrorKind::refused, "not a sound qcow2 file: " + std::move(why));
}

/// Big-endian numbers at an offset, within the text.
class Reader {
  public:
    explicit Reader(std::string_view text) : text_(text) {}

    std::string_view bytes(std::size_t at, std::size_t length) const {
        if (at > text_.size() || length > text_.size() - at)
            refuse(fmt::format("it ends or goes on past its first {} bytes", text_.size()));
        return text_.substr(at, length);
    }
    std::uint64_t number(std::size_t at, std::size_t width) const {
        std::uint64_t value = 0;
        for (char c : bytes(at, width)) value = value << 8 | static_cast<unsigned char>(c);
        return value;
    }
    std::uint32_t u32(std::size_t at) const { return static_cast<std::uint32_t>(number(at, 4)); }
    std::uint64_t u64(std::size_t at) const { return number(at, 8); }

  private:
    std::string_view text_;
};

std::string text_of(std::string_view bytes, const char* what) {
    if (bytes.find('\0') != std::string_view::npos) refuse(std::string(what) + " holds a zero byte");
    return std::string(bytes);
}

void read_features(const Reader& in, Qcow2Header& header) {
    const std::uint64_t incompatible = in.u64(72);
    header.dirty = incompatible & 1;
    header.corrupt = incompatible & 2;
    header.external_data = incompatible & 4;
    // 8: compression type, 16: extended L2 entries. Others are of a QEMU that is not here yet.
    if (incompatible & ~std::uint64_t{31})
        refuse(fmt::format("it needs features that are not known here ({:#x})", incompatible));
}

void read_extensions(const Reader& in, std::size_t at, std::size_t end, Qcow2Header& header) {
    while (at + 8 <= end) {
        const std::uint32_t type = in.u32(at);
        const std::uint32_t length = in.u32(at + 4);
        if (type == end_of_extensions) return;
        at += 8;
        if (length > end - at) refuse("a header extension is longer than the header");
        if (type == backing_format_extension)
            header.backing_format = text_of(in.bytes(at, length), "the backing file's format");
        at += (std::size_t{length} + 7) & ~std::size_t{7};
    }
}

}  // namespace

bool looks_like_qcow2(std::string_view head) {
    return head.substr(0, magic.size()) == magic;
}

Qcow2Header parse_qcow2_header(std::string_view head) {
    if (!looks_like_qcow2(head)) refuse("it does not begin as one");
    Reader in(head);
    Qcow2Header header;
    header.version = in.u32(4);
    if (header.version != 2 && header.version != 3) refuse(fmt::format("version {}", header.version));
    const std::uint64_t backing_at = in.u64(8);
    const std::uint32_t backing_length = in.u32(16);
    const std::uint32_t cluster_bits = in.u32(20);
    header.size = in.u64(24);
    header.encrypted = in.u32(32) != 0;
    in.bytes(0, header_v2);
    if (cluster_bits < 9 || cluster_bits > 21) refuse(fmt::format("clusters of 2^{} bytes", cluster_bits));
    if (header.size > largest_disk) refuse(fmt::format("a size of {} bytes", header.size));

    std::size_t header_end = header_v2;
    if (header.version == 3) {
        read_features(in, header);
        header_end = in.u32(100);
        if (header_end < header_v3 || header_end % 8 != 0)
            refuse(fmt::format("a header of {} bytes", header_end));
    }
    std::size_t extensions_end = std::min<std::size_t>(std::size_t{1} << cluster_bits, head.size());
    if (backing_at != 0) {
        if (backing_length == 0 || backing_length > longest_name)
            refuse(fmt::format("a backing file's name of {} bytes", backing_length));
        if (backing_at < header_end || backing_at > extensions_end)
            refuse("the backing file's name lies outside the header");
        header.backing = text_of(in.bytes(backing_at, backing_length), "the backing file's name");
        extensions_end = backing_at;
    }
    if (header_end > extensions_end) refuse("the header is longer than its cluster");
    read_extensions(in, header_end, extensions_end, header);
    return header;
}

Qcow2Header read_qcow2_header(int fd, const std::string& name) {
    std::string head(qcow2_head, '\0');
    ssize_t got = ::pread(fd, head.data(), head.size(), 0);
    if (got < 0) throw system_error("cannot read " + name, errno);
    head.resize(static_cast<std::size_t>(got));
    try {
        return parse_qcow2_header(head);
    } catch (Error& e) {
        throw e.in(name);
    }
}

Qcow2Header read_qcow2_header(const std::string& path) {
    Fd fd(::open(path.c_str(), O_RDONLY | O_CLOEXEC | O_NONBLOCK));
    if (!fd) throw system_error("cannot open " + path, errno);
    return read_qcow2_header(fd.get(), path);
}

}  // namespace clara
