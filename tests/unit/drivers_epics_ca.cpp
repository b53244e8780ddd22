// The bytes are those of CAref's examples and of what EPICS 7.0.3.1 sends.
#include "catch.hpp"
#include "clara/base/error.hpp"
#include "clara/drivers/epics/ca.hpp"
#include "clara/drivers/epics/check.hpp"
#include "clara/drivers/epics/extra_servers.hpp"

using namespace clara;

namespace {

template <std::size_t N>
std::string bytes(const char (&literal)[N]) {
    return {literal, N - 1};
}

const Ipv4 sender = *Ipv4::parse("10.87.0.11");
const std::string version_header = bytes("\0\0\0\0\0\0\0\x0d\0\0\0\0\0\0\0\0");

}  // namespace

TEST_CASE("a search as it stands on the wire") {
    auto datagrams = ca::search_datagrams({"A:B"}, 7);
    REQUIRE(datagrams.size() == 1);
    CHECK(datagrams[0] == version_header + bytes("\0\x06\0\x08\0\x05\0\x0d\0\0\0\x07\0\0\0\x07"
                                                 "A:B\0\0\0\0\0"));
}

TEST_CASE("many names go into few datagrams of bounded size") {
    std::vector<std::string> names(500, "A:PV:NAME:OF:USUAL:LENGTH");
    names.push_back(std::string(5000, 'x'));
    std::size_t questions = 0;
    for (const std::string& datagram : ca::search_datagrams(names)) {
        CHECK(datagram.size() <= 1024);
        CHECK(datagram.starts_with(version_header));
        questions += (datagram.size() - 16) / 48;
    }
    CHECK(questions == 500);
    CHECK(ca::search_datagrams({}).empty());
}

TEST_CASE("search answers") {
    std::string own = bytes("\0\x06\0\x08\x13\xc8\0\0\xff\xff\xff\xff\0\0\0\x07\0\x0d\0\0\0\0\0\0");
    std::string other = bytes("\0\x06\0\x08\x9c\xbb\0\0\x0a\x57\0\x0c\0\0\0\x08\0\x0d\0\0\0\0\0\0");
    auto answers = ca::search_answers(version_header + own + other, sender);
    REQUIRE(answers.size() == 2);
    CHECK(answers[0].id == 7);
    CHECK(answers[0].server.str() == "10.87.0.11:5064");
    CHECK(answers[1].server.str() == "10.87.0.12:40123");
    CHECK(ca::search_answers(own.substr(0, 20), sender).empty());
    CHECK(ca::search_answers("", sender).empty());
    CHECK(ca::search_answers(std::string(1000, '\xff'), sender).empty());
}

TEST_CASE("messages in pieces, long and unbelievable ones") {
    std::string wire = ca::encode({ca::read_notify, 0, 1, 1, 2, "On"});
    for (std::size_t n = 0; n < wire.size(); ++n) {
        std::string_view part = std::string_view(wire).substr(0, n);
        CHECK_FALSE(ca::decode(part));
        CHECK(part.size() == n);
    }
    std::string_view whole = wire;
    auto message = ca::decode(whole);
    REQUIRE(message);
    CHECK(whole.empty());
    CHECK(message->payload == std::string("On\0\0\0\0\0\0", 8));

    std::string extended = bytes(
        "\0\x0f\xff\xff\0\0\0\0\0\0\0\x01\0\0\0\x02\0\0\0\x08\0\0\0\x01"
        "payload!");
    std::string_view view = extended;
    message = ca::decode(view);
    REQUIRE(message);
    CHECK(message->payload == "payload!");
    CHECK(message->count == 1);

    std::string huge = bytes("\0\x0f\xff\xff\0\0\0\0\0\0\0\x01\0\0\0\x02\x7f\0\0\0\0\0\0\x01");
    view = huge;
    CHECK_THROWS_AS(ca::decode(view), Error);
}

TEST_CASE("what a CA server greets with") {
    std::string channel =
        ca::encode({ca::access_rights, 0, 0, 1, 3, {}}) + ca::encode({ca::create_channel, 6, 1, 1, 0, {}});
    CHECK_FALSE(ca_greeting("A")(version_header));
    CHECK(ca_greeting("")(version_header) == "");
    CHECK(ca_greeting("A")(version_header + channel) == "");
    std::string none = ca::encode({ca::create_channel_failed, 0, 0, 1, 0, {}});
    CHECK(ca_greeting("A")(version_header + none) == "it does not have A");
}

TEST_CASE("greetings of other servers") {
    CHECK(ssh_banner()("SSH-2.0-x") == "");
    CHECK_FALSE(ssh_banner()("SS"));
    CHECK(ssh_banner()("220 ftp") == "something else answers");
}

TEST_CASE("the kernel's socket table") {
    std::string table =
        "  sl  local_address rem_address   st tx_queue rx_queue tr tm->when retrnsmt   uid  timeout inode\n"
        "   0: 00000000:13C8 00000000:0000 0A 00000000:00000000 00:00000000 00000000     0        0 7001 1 "
        "0\n"
        "   1: 0100007F:9CBB 0100007F:13C8 01 00000000:00000000 00:00000000 00000000     0        0 7002 1 "
        "0\n"
        "broken line\n";
    using Sockets = std::vector<std::pair<std::uint64_t, std::uint16_t>>;
    CHECK(sockets_in(table, 10) == Sockets{{7001, 5064}});
    CHECK(sockets_in(table, -1) == Sockets{{7001, 5064}, {7002, 40123}});
    CHECK(sockets_in("", -1).empty());
}
