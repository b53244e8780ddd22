// The bytes are those that EPICS 7.0.3.1 sends (softIocPVA, pvget), or follow the pvAccess Protocol
// Specification.
#include "catch.hpp"
#include "clara/base/error.hpp"
#include "clara/drivers/epics/pva.hpp"
#include "clara/drivers/epics/pva_wire.hpp"
#include "fixtures/mini_pva.hpp"

using namespace clara;

namespace {

template <std::size_t N>
std::string bytes(const char (&literal)[N]) {
    return {literal, N - 1};
}

const Ipv4 sender = *Ipv4::parse("10.87.0.11");
const std::string no_address(16, '\0');

// softIocPVA's answer to the search 0x01020304 for A:B with id 0; it serves on TCP 5075.
const std::string guid = bytes("\x6f\x0e\x06\x6b\0\0\0\0\xee\x68\x31\x1c");
const std::string mapped_any = bytes("\0\0\0\0\0\0\0\0\0\0\xff\xff\0\0\0\0");
const std::string found_it = bytes("\xca\x02\x40\x04\x2d\0\0\0") + guid + bytes("\x04\x03\x02\x01") +
                             mapped_any + bytes("\xd3\x13\x03tcp\x01\x01\0\0\0\0\0");

/// A big endian answer with this in the place of the address, and this after the port.
std::string big_answer(const std::string& address, const std::string& rest) {
    std::string payload = guid + bytes("\x01\x02\x03\x04") + address + bytes("\x13\xd3") + rest;
    return bytes("\xca\x02\xc0\x04\0\0\0") + static_cast<char>(payload.size()) + payload;
}

}  // namespace

TEST_CASE("a PVAccess search as it stands on the wire") {
    // pvget's own, but for its byte order and that it wants no answer from who lacks the PV
    auto datagrams = pva::search_datagrams({"A:B"}, {0x01020304, 0x94d3});
    REQUIRE(datagrams.size() == 1);
    CHECK(datagrams[0] == bytes("\xca\x02\x80\x03\0\0\0\x29\x01\x02\x03\x04\x81\0\0\0") + mapped_any +
                              bytes("\x94\xd3\x01\x03tcp\0\x01\0\0\0\0\x03"
                                    "A:B"));
    datagrams = pva::search_datagrams({"A:B", "C"}, {1, 2, false});
    REQUIRE(datagrams.size() == 1);
    CHECK(datagrams[0] == bytes("\xca\x02\x80\x03\0\0\0\x2f\0\0\0\x01\0\0\0\0") + mapped_any +
                              bytes("\0\x02\x01\x03tcp\0\x02\0\0\0\0\x03"
                                    "A:B\0\0\0\x01\x01"
                                    "C"));
}

TEST_CASE("server discovery is a search for nothing") {
    auto datagrams = pva::search_datagrams({}, {7, 0x94d3});
    REQUIRE(datagrams.size() == 1);
    CHECK(datagrams[0] == bytes("\xca\x02\x80\x03\0\0\0\x21\0\0\0\x07\x81\0\0\0") + mapped_any +
                              bytes("\x94\xd3\x01\x03tcp\0\0"));
}

TEST_CASE("many PVAccess names go into few datagrams of bounded size") {
    std::vector<std::string> names(500, "A:PV:NAME:OF:USUAL:LENGTH");
    names.insert(names.begin() + 250, std::string(300, 'l'));
    names.push_back(std::string(1025, 'x'));
    std::size_t questions = 0, bytes_sent = 0;
    auto datagrams = pva::search_datagrams(names, {});
    for (const std::string& datagram : datagrams) {
        CHECK(datagram.size() <= 1440);
        CHECK(mini_pva::byte_at(datagram, 3) == 3);
        CHECK((mini_pva::byte_at(datagram, 6) << 8 | mini_pva::byte_at(datagram, 7)) + 8 == datagram.size());
        questions += mini_pva::byte_at(datagram, 39) << 8 | mini_pva::byte_at(datagram, 40);
        bytes_sent += datagram.size();
    }
    CHECK(questions == 501);
    CHECK(datagrams.size() <= 12);
    CHECK(bytes_sent == datagrams.size() * 41 + 500 * (4 + 1 + 25) + 4 + 5 + 300);
    CHECK(pva::search_datagrams({std::string(5000, 'x')}, {}).empty());
}

TEST_CASE("PVAccess search answers") {
    auto answers = pva::search_answers(found_it, sender);
    REQUIRE(answers.size() == 1);
    CHECK(answers[0].sequence == 0x01020304);
    CHECK(answers[0].address == sender);
    CHECK(answers[0].port == 5075);
    CHECK(answers[0].found);
    CHECK(answers[0].ids == std::vector<std::uint32_t>{0});

    std::string denied = found_it;
    denied[46] = '\0';
    answers = pva::search_answers(denied + found_it, sender);  // several in one datagram
    REQUIRE(answers.size() == 2);
    CHECK_FALSE(answers[0].found);
    CHECK(answers[1].found);

    // softIocPVA's to a discovery
    std::string discovered = bytes("\xca\x02\x40\x04\x29\0\0\0") + guid + bytes("\x04\x03\x02\x01") +
                             mapped_any + bytes("\xd3\x13\x03tcp\0\0\0");
    answers = pva::search_answers(discovered, sender);
    REQUIRE(answers.size() == 1);
    CHECK(answers[0].port == 5075);
    CHECK(answers[0].ids.empty());
}

TEST_CASE("PVAccess servers of other byte order, address and length") {
    const std::string two = bytes("\x03tcp\x01\0\x02\0\0\0\x07\0\0\0\x08");
    auto answers = pva::search_answers(big_answer(mapped_any, two), sender);
    REQUIRE(answers.size() == 1);
    CHECK(answers[0].sequence == 0x01020304);
    CHECK(answers[0].port == 5075);
    CHECK(answers[0].ids == std::vector<std::uint32_t>{7, 8});

    const std::string named = bytes("\0\0\0\0\0\0\0\0\0\0\xff\xff\x0a\x57\0\x0c");
    CHECK(pva::search_answers(big_answer(named, two), sender).at(0).address.str() == "10.87.0.12");
    CHECK(pva::search_answers(big_answer(no_address, two), sender).at(0).address == sender);
    const std::string long_text = bytes("\xfe\0\0\0\x03tcp\x01\0\x01\0\0\0\x07");
    CHECK(pva::search_answers(big_answer(mapped_any, long_text), sender).size() == 1);
    CHECK(pva::search_answers(big_answer(mapped_any, bytes("\x03tcp\0")), sender).size() == 1);
}

TEST_CASE("PVAccess answers that nobody can use say nothing") {
    auto none = [](const std::string& datagram) { return pva::search_answers(datagram, sender).empty(); };
    for (std::size_t n = 0; n < found_it.size(); ++n) CHECK(none(found_it.substr(0, n)));
    const std::string rest = bytes("\x03tcp\x01\0\x01\0\0\0\x07");
    CHECK_FALSE(none(big_answer(mapped_any, rest)));
    // a payload shorter than it says, in each place
    for (std::size_t n = 0; n < rest.size(); ++n) CHECK(none(big_answer(mapped_any, rest.substr(0, n))));
    CHECK(none(big_answer(mapped_any, bytes("\x03tcp\x01\xff\xff\0\0\0\x07"))));  // 65535 ids
    CHECK(none(big_answer(mapped_any, bytes("\xfe\x7f\xff\xff\xfftcp\x01\0\x01\0\0\0\x07"))));
    CHECK(none(big_answer(mapped_any, bytes("\xff\x01\0\x01\0\0\0\x07"))));          // no protocol
    CHECK(none(big_answer(mapped_any, bytes("\x03tls\x01\0\x01\0\0\0\x07"))));       // another one
    CHECK(none(big_answer(bytes("\xfe\x80\0\0\0\0\0\0\0\0\0\0\0\0\0\x01"), rest)));  // IPv6
    CHECK(none(big_answer(bytes("\0\0\0\0\0\0\0\0\0\0\0\0\x0a\x57\0\x0c"), rest)));  // "IPv4-compatible"
    std::string message = found_it;
    message[4] = '\x7f';  // a size beyond the datagram
    CHECK(none(message));
    message.replace(4, 4, bytes("\xff\xff\xff\xff"));
    CHECK(none(message));
    message = found_it;
    message[3] = '\x03';  // a search, not an answer
    CHECK(none(message));
    message = found_it;
    message[2] = '\x50';  // the first part of one
    CHECK(none(message));
    message = found_it;
    message[1] = '\0';  // a revision before the first
    CHECK(none(message));
    CHECK(none("\x01" + found_it));
    CHECK(none(std::string(1000, '\xff')));
    // junk behind a good one, and control messages before it, do not matter
    CHECK(pva::search_answers(found_it + "junk", sender).size() == 1);
    CHECK(pva::search_answers(bytes("\xca\x02\x41\x02\xff\xff\xff\xff") + found_it, sender).size() == 1);
}

TEST_CASE("a PVAccess connection") {
    const std::string asked = mini_pva::greeting, whole = asked + mini_pva::acknowledged;
    for (std::size_t n = 0; n < whole.size(); ++n) {
        CHECK_FALSE(pva::connection_problem(whole.substr(0, n)));
        CHECK(pva::connection_answer(whole.substr(0, n)).empty() == (n < asked.size()));
    }
    CHECK(pva::connection_problem(whole) == "");
    CHECK(pva::connection_answer(asked) == bytes("\xca\x02\0\x01\x13\0\0\0\0\x40\0\0\xff\x7f\0\0\x09"
                                                 "anonymous\xff"));
    const std::string big_endian =
        bytes("\xca\x02\xc1\x02\0\0\0\0\xca\x02\xc0\x01\0\0\0\x07\0\0\x40\0\x7f\xff\0");
    CHECK(pva::connection_answer(big_endian) == bytes("\xca\x02\x80\x01\0\0\0\x13\0\0\x40\0\x7f\xff\0\0\x09"
                                                      "anonymous\xff"));
    // refused, with a reason: it serves others
    CHECK(pva::connection_problem(asked + bytes("\xca\x02\x40\x09\x04\0\0\0\x02\x01x\0")) == "");
}

TEST_CASE("who is no PVAccess server on its port") {
    CHECK(pva::connection_problem("SSH-2.0-x") == "it is no PVAccess server");
    CHECK(pva::connection_problem("S") == "it is no PVAccess server");
    const std::string rude = "it does not greet as a PVAccess server does";
    CHECK(pva::connection_problem(bytes("\xca\x02\0\x02\0\0\0\0")) == rude);          // a client
    CHECK(pva::connection_problem(bytes("\xca\x02\x40\x09\x01\0\0\0\xff")) == rude);  // no byte order
    CHECK(pva::connection_problem(bytes("\xca\x02\x40\x01\xff\xff\xff\x7f"))->find("not believed") !=
          std::string::npos);
    CHECK_FALSE(pva::connection_problem(bytes("\xca\0\x41\x02\0\0\0\0"))->empty());
}

TEST_CASE("beyond the end of a PVAccess message all is broken") {
    pva::Reader reader("\x01\x02\x03", true);
    CHECK(reader.number(2) == 0x0102);
    CHECK(reader.left() == 1);
    CHECK(reader.number(2) == 0);
    CHECK(reader.broken());
    CHECK(reader.number(1) == 0);  // and stays so
    CHECK(pva::Reader("\x01\x02", false).number(2) == 0x0201);
}
