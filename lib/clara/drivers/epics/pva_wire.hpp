// PVAccess messages and values as they stand on the wire. Private to drivers/epics.
#pragma once
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

namespace clara::pva {

enum Command : unsigned char {
    connection_validation = 0x01,
    set_byte_order = 0x02,  ///< a control message
    search = 0x03,
    search_response = 0x04,
    connection_validated = 0x09,
};

struct Message {
    bool control = false;    ///< control messages have numbers of their own and no payload
    bool segmented = false;  ///< only a part: never so with the commands above
    bool from_server = false;
    bool big = false;  ///< byte order
    unsigned char command = 0;
    std::string_view payload;
};
/// Takes one whole message off the front of `bytes`; nullopt where more bytes are needed.
/// Error{failed} for what no PVAccess server sends, a payload beyond `limit` included.
std::optional<Message> decode(std::string_view& bytes, std::size_t limit = 64 << 10);
/// An application message of a client.
std::string encode(Command command, bool big, const std::string& payload);

void put(std::string& out, bool big, std::uint32_t value, int bytes);
void put_text(std::string& out, bool big, const std::string& text);

/// Takes values off the front of bytes that a stranger sent; beyond their end all is 0 and broken().
class Reader {
  public:
    Reader(std::string_view bytes, bool big) : bytes_(bytes), big_(big) {}
    std::string_view take(std::size_t count);
    std::uint32_t number(std::size_t bytes);
    std::string_view text();
    std::size_t left() const { return bytes_.size(); }
    bool broken() const { return broken_; }

  private:
    std::string_view bytes_;
    bool big_, broken_ = false;
};

}  // namespace clara::pva
