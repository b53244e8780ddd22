#include "clara/base/error.hpp"
#include "clara/drivers/epics/pva.hpp"
#include "clara/drivers/epics/pva_wire.hpp"

namespace clara::pva {
namespace {

constexpr unsigned char reply_required = 0x01, unicast = 0x80;  // of a search
constexpr std::size_t guid_size = 12;
constexpr std::size_t max_datagram = 1440;
constexpr bool big = true;  // what we say first is big endian; servers answer in the order of their machine

/// An IPv4 address in the 16 bytes of an IPv6 one (::ffff:10.87.0.11), whatever the byte order. Nothing at
/// all, or 0.0.0.0: the address that the datagram came from. nullopt for a real IPv6 address.
std::optional<Ipv4> address_in(std::string_view bytes, Ipv4 from) {
    Reader reader(bytes, true);
    bool zeros = reader.take(10).find_first_not_of('\0') == std::string_view::npos;
    std::uint32_t mark = reader.number(2), value = reader.number(4);
    if (!zeros || reader.broken() || (mark != 0xffff && (mark != 0 || value != 0))) return std::nullopt;
    return value == 0 ? from : Ipv4{value};
}

std::optional<Answer> answer_in(Reader payload, Ipv4 from) {
    Answer answer;
    payload.take(guid_size);
    answer.sequence = payload.number(4);
    auto address = address_in(payload.take(16), from);
    answer.port = static_cast<std::uint16_t>(payload.number(2));
    std::string_view protocol = payload.text();
    answer.found = payload.number(1) != 0;
    // A server that has none of the names may end here.
    std::uint32_t count = payload.left() == 0 && !answer.found ? 0 : payload.number(2);
    if (payload.broken() || !address || answer.port == 0 || protocol != "tcp") return std::nullopt;
    if (count > payload.left() / 4) return std::nullopt;
    answer.address = *address;
    for (; count > 0; --count) answer.ids.push_back(payload.number(4));
    return answer;
}

/// A search for `count` names, whose ids and texts are `names`.
std::string search_message(const Search& question, std::uint32_t count, const std::string& names) {
    std::string payload;
    put(payload, big, question.sequence, 4);
    put(payload, big, question.unicast ? unicast | reply_required : 0, 1);
    put(payload, big, 0, 3);  // reserved
    // "responseAddress" ::ffff:0.0.0.0, the sender's: what EPICS' own clients say
    payload.append(10, '\0');
    put(payload, big, 0xffff, 2);
    put(payload, big, 0, 4);
    put(payload, big, question.reply_port, 2);
    put(payload, big, 1, 1);  // protocols
    put_text(payload, big, "tcp");
    put(payload, big, count, 2);
    return encode(search, big, payload + names);
}

}  // namespace

std::vector<std::string> search_datagrams(const std::vector<std::string>& names, const Search& question) {
    if (names.empty()) return {search_message(question, 0, "")};
    const std::size_t room = max_datagram - search_message(question, 0, "").size();
    std::vector<std::string> datagrams;
    std::string questions;
    std::uint32_t count = 0;
    auto flush = [&] {
        if (count > 0) datagrams.push_back(search_message(question, count, questions));
        questions.clear();
        count = 0;
    };
    for (std::size_t i = 0; i < names.size(); ++i) {
        if (names[i].size() > max_name) continue;
        std::string one;
        put(one, big, static_cast<std::uint32_t>(i), 4);
        put_text(one, big, names[i]);
        if (questions.size() + one.size() > room) flush();
        questions += one;
        ++count;
    }
    flush();
    return datagrams;
}

std::vector<Answer> search_answers(std::string_view datagram, Ipv4 from) {
    std::vector<Answer> answers;
    try {
        while (auto message = decode(datagram)) {
            if (message->control || message->segmented || message->command != search_response) continue;
            if (auto answer = answer_in({message->payload, message->big}, from))
                answers.push_back(std::move(*answer));
        }
    } catch (const Error&) {
        // No PVAccess, or an oversized length: the rest of this datagram cannot be told apart.
        return answers;
    }
    return answers;
}

std::optional<std::string> connection_problem(std::string_view received) {
    bool greeted = false;
    try {
        while (auto message = decode(received)) {
            if (!message->from_server) return "it does not greet as a PVAccess server does";
            if (message->control && message->command == set_byte_order) greeted = true;
            if (!greeted) return "it does not greet as a PVAccess server does";
            // With whatever status: who serves no anonymous clients serves others.
            if (!message->control && message->command == connection_validated) return "";
        }
    } catch (const Error& e) {
        return e.message();
    }
    return std::nullopt;
}

std::string connection_answer(std::string_view received) {
    bool server_big = false;
    while (auto message = decode(received)) {
        if (message->control && message->command == set_byte_order) server_big = message->big;
        if (message->control || message->command != connection_validation) continue;
        constexpr std::uint32_t buffer_size = 16 << 10, registry_size = 0x7fff, no_data = 0xff;
        std::string payload;
        put(payload, server_big, buffer_size, 4);
        put(payload, server_big, registry_size, 2);
        put(payload, server_big, 0, 2);  // priority
        put_text(payload, server_big, "anonymous");
        put(payload, server_big, no_data, 1);
        return encode(connection_validation, server_big, payload);
    }
    return "";
}

}  // namespace clara::pva
