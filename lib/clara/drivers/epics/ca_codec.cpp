#include <fmt/format.h>

#include "clara/base/error.hpp"
#include "clara/drivers/epics/ca.hpp"

namespace clara::ca {
namespace {

constexpr std::size_t header_size = 16;
constexpr std::size_t max_datagram = 1024;
constexpr std::uint16_t dont_reply = 5;                   // CAref: search flag DONT_REPLY
constexpr std::uint32_t address_of_sender = 0xffff'ffff;  // CAref "CA_PROTO_SEARCH", response

void put16(std::string& out, std::uint32_t value) {
    out += static_cast<char>(value >> 8);
    out += static_cast<char>(value);
}
void put32(std::string& out, std::uint32_t value) {
    put16(out, value >> 16);
    put16(out, value);
}
std::uint32_t get16(std::string_view bytes, std::size_t at) {
    auto byte = [&](std::size_t i) {
        return static_cast<std::uint32_t>(static_cast<unsigned char>(bytes[i]));
    };
    return byte(at) << 8 | byte(at + 1);
}
std::uint32_t get32(std::string_view bytes, std::size_t at) {
    return get16(bytes, at) << 16 | get16(bytes, at + 2);
}

/// A string payload: ends with at least one NUL.
std::string text(const std::string& words) {
    return words + '\0';
}

Message version_message() {
    return {version, 0, minor_version, 0, 0, {}};
}

}  // namespace

std::string Server::str() const {
    return fmt::format("{}:{}", address.str(), port);
}

std::string encode(const Message& message) {
    std::size_t padded = (message.payload.size() + 7) / 8 * 8;
    // Larger ones need CAref's extended header, which a client that only asks never sends.
    if (padded >= 0xffff || message.count > 0xffff)
        throw Error(ErrorKind::failed, "a Channel Access message is too long");
    std::string out;
    put16(out, message.command);
    put16(out, static_cast<std::uint32_t>(padded));
    put16(out, message.type);
    put16(out, message.count);
    put32(out, message.p1);
    put32(out, message.p2);
    out += message.payload;
    out.append(padded - message.payload.size(), '\0');
    return out;
}

std::optional<Message> decode(std::string_view& bytes, std::size_t limit) {
    if (bytes.size() < header_size) return std::nullopt;
    Message message;
    message.command = static_cast<std::uint16_t>(get16(bytes, 0));
    std::size_t size = get16(bytes, 2);
    message.type = static_cast<std::uint16_t>(get16(bytes, 4));
    message.count = get16(bytes, 6);
    message.p1 = get32(bytes, 8);
    message.p2 = get32(bytes, 12);
    std::size_t begin = header_size;
    if (size == 0xffff && message.count == 0) {  // CAref "Message Header", extended form
        if (bytes.size() < header_size + 8) return std::nullopt;
        size = get32(bytes, 16);
        message.count = get32(bytes, 20);
        begin += 8;
    }
    if (size > limit)
        throw Error(ErrorKind::failed,
                    fmt::format("a Channel Access message of {} bytes: not believed", size));
    if (bytes.size() < begin + size) return std::nullopt;
    message.payload = bytes.substr(begin, size);
    bytes.remove_prefix(begin + size);
    return message;
}

std::vector<std::string> search_datagrams(const std::vector<std::string>& names, std::uint32_t first_id) {
    const std::string start = encode(version_message());
    std::vector<std::string> datagrams;
    for (std::size_t i = 0; i < names.size(); ++i) {
        auto id = static_cast<std::uint32_t>(first_id + i);
        if (names[i].size() > max_name) continue;
        std::string question = encode({search, dont_reply, minor_version, id, id, text(names[i])});
        if (start.size() + question.size() > max_datagram) continue;
        if (datagrams.empty() || datagrams.back().size() + question.size() > max_datagram)
            datagrams.push_back(start);
        datagrams.back() += question;
    }
    return datagrams;
}

std::vector<Answer> search_answers(std::string_view datagram, Ipv4 from) {
    std::vector<Answer> answers;
    try {
        while (auto message = decode(datagram)) {
            if (message->command != search || message->type == 0) continue;
            Ipv4 address = message->p1 == address_of_sender || message->p1 == 0 ? from : Ipv4{message->p1};
            answers.push_back({message->p2, {address, message->type}});
        }
    } catch (const Error&) {
        // An oversized length: the rest of this datagram cannot be told apart.
        return answers;
    }
    return answers;
}

std::string hello(const std::string& pv) {
    std::string out = encode(version_message());
    if (pv.empty()) return out;
    out += encode({client_name, 0, 0, 0, 0, text("clara")});
    out += encode({host_name, 0, 0, 0, 0, text("localhost")});
    return out + encode({create_channel, 0, 0, 1, minor_version, text(pv)});
}

}  // namespace clara::ca
