#include "clara/drivers/epics/pva_wire.hpp"

#include <fmt/format.h>

#include "clara/base/error.hpp"

namespace clara::pva {
namespace {

// "Message Structure": magic, revision, flags, command, payload size
constexpr unsigned char magic = 0xca, revision = 2;
constexpr unsigned char control_flag = 0x01, segmented_flags = 0x30, server_flag = 0x40, big_flag = 0x80;
constexpr std::size_t header_size = 8;
constexpr unsigned char long_size = 0xfe, null_size = 0xff;  // "Sizes": 4 bytes follow; no string at all

}  // namespace

std::optional<Message> decode(std::string_view& bytes, std::size_t limit) {
    auto byte = [&](std::size_t i) { return static_cast<unsigned char>(bytes[i]); };
    if (!bytes.empty() && byte(0) != magic) throw Error(ErrorKind::failed, "it is no PVAccess server");
    if (bytes.size() < header_size) return std::nullopt;
    const unsigned char flags = byte(2);
    Message message{(flags & control_flag) != 0,
                    (flags & segmented_flags) != 0,
                    (flags & server_flag) != 0,
                    (flags & big_flag) != 0,
                    byte(3),
                    {}};
    if (byte(1) == 0)  // before revision 1 all was different
        throw Error(ErrorKind::failed, "it does not speak PVAccess as of today");
    // A control message has a value in the place of the size.
    const std::size_t size = message.control ? 0 : Reader(bytes.substr(4, 4), message.big).number(4);
    if (size > limit)
        throw Error(ErrorKind::failed, fmt::format("a PVAccess message of {} bytes: not believed", size));
    if (bytes.size() < header_size + size) return std::nullopt;
    message.payload = bytes.substr(header_size, size);
    bytes.remove_prefix(header_size + size);
    return message;
}

std::string encode(Command command, bool big, const std::string& payload) {
    std::string out;
    put(out, big, magic, 1);
    put(out, big, revision, 1);
    put(out, big, big ? big_flag : 0, 1);
    put(out, big, command, 1);
    put(out, big, static_cast<std::uint32_t>(payload.size()), 4);
    return out + payload;
}

void put(std::string& out, bool big, std::uint32_t value, int bytes) {
    for (int i = 0; i < bytes; ++i) out += static_cast<char>(value >> 8 * (big ? bytes - 1 - i : i));
}

void put_text(std::string& out, bool big, const std::string& text) {
    if (text.size() < long_size) {
        put(out, big, static_cast<std::uint32_t>(text.size()), 1);
    } else {
        put(out, big, long_size, 1);
        put(out, big, static_cast<std::uint32_t>(text.size()), 4);
    }
    out += text;
}

std::string_view Reader::take(std::size_t count) {
    broken_ = broken_ || count > bytes_.size();
    if (broken_) return {};
    std::string_view front = bytes_.substr(0, count);
    bytes_.remove_prefix(count);
    return front;
}

std::uint32_t Reader::number(std::size_t bytes) {
    std::string_view front = take(bytes);
    std::uint32_t value = 0;
    for (std::size_t i = 0; i < front.size(); ++i)
        value = value << 8 | static_cast<unsigned char>(front[big_ ? i : front.size() - 1 - i]);
    return value;
}

std::string_view Reader::text() {
    std::uint32_t size = number(1);
    if (size == null_size) return {};
    return take(size == long_size ? number(4) : size);
}

}  // namespace clara::pva
