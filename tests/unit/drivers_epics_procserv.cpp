#include "catch.hpp"
#include "clara/base/error.hpp"
#include "clara/drivers/epics/procserv.hpp"
#include "clara/drivers/epics/telnet.hpp"
#include "clara/drivers/guest_log.hpp"

using namespace clara;

namespace {

const std::string up =
    "@@@ Welcome to procServ (procServ Process Server 2.7.0)\r\n"
    "@@@ Use ^X to kill the child, auto restart is ON, use ^T to toggle auto restart\r\n"
    "@@@ procServ server PID: 5\r\n"
    "@@@ Child \"magnets\" started as: /opt/ioc/run\r\n"
    "@@@ Child \"magnets\" PID: 7\r\n"
    "@@@ procServ server started at: Mon Nov 23 07:49:47 2026\r\n"
    "@@@ Child \"magnets\" started at: Mon Nov 23 07:49:48 2026\r\n"
    "@@@ 2 user(s) and 0 logger(s) connected (plus you)\r\n";

}  // namespace

TEST_CASE("procServ's banner") {
    auto status = parse_banner(up);
    REQUIRE(status);
    CHECK(status->version == "2.7.0");
    CHECK(status->child == "magnets");
    CHECK(status->child_pid == 7);
    CHECK(status->auto_restart == "ON");
    CHECK(status->child_started == "Mon Nov 23 07:49:48 2026");
    CHECK(status->users == 2);
}

TEST_CASE("procServ 2.8 and a child that is down") {
    auto status = parse_banner(
        "@@@ Welcome to procServ (procServ Process Server 2.8.0)\r\n"
        "@@@ Use ^X to kill the child, auto restart mode is ONESHOT, use ^T to toggle auto restart\r\n"
        "@@@ Child \"magnets\" is SHUT DOWN\r\n"
        "@@@ 0 user(s) and 1 logger(s) connected (plus you)\r\n");
    REQUIRE(status);
    CHECK(status->auto_restart == "ONESHOT");
    CHECK(status->child_pid == 0);
    CHECK(status->child_started.empty());
}

TEST_CASE("a banner is whole or not there") {
    for (std::size_t n = 0; n + 3 < up.size(); ++n) CHECK_FALSE(parse_banner(up.substr(0, n)));
}

TEST_CASE("telnet commands are taken out, in pieces too") {
    const std::string bytes =
        "a\xff\xfb\x01"
        "b\xff\xfd\x22"
        "c\xff\xff"
        "d\xff\xfa\x18\x01\xff\xf0"
        "e\xff\xf1"
        "f";
    CHECK(TelnetFilter{}.feed(bytes) ==
          "abc\xff"
          "def");
    TelnetFilter filter;
    std::string text;
    for (char c : bytes) text += filter.feed({&c, 1});
    CHECK(text ==
          "abc\xff"
          "def");
    CHECK(telnet_escape("x\xff") == "x\xff\xff");
}

TEST_CASE("the end of a log reaches back into rotated ones") {
    std::map<std::string, std::string> files{{"/var/log/clara/ioc.log", "4\n5\n"},
                                             {"/var/log/clara/ioc.log.1", "2\n3\n"},
                                             {"/var/log/clara/ioc.log.2", "0\n1\n"}};
    LogReader read = [&](const std::string& path, std::size_t) -> std::optional<std::string> {
        auto at = files.find(path);
        if (at == files.end()) return std::nullopt;
        return at->second;
    };
    CHECK(log_tail(read, "ioc", 0).empty());
    CHECK(log_tail(read, "ioc", 1) == "5\n");
    CHECK(log_tail(read, "ioc", 2) == "4\n5\n");
    CHECK(log_tail(read, "ioc", 5) == "1\n2\n3\n4\n5\n");
    CHECK(log_tail(read, "ioc", 100) == "0\n1\n2\n3\n4\n5\n");
    files["/var/log/clara/ioc.log"] += "half";
    CHECK(log_tail(read, "ioc", 2) == "5\nhalf");
    CHECK_THROWS_AS(log_tail(read, "other", 1), Error);
    CHECK_THROWS_AS(log_tail(read, "../ioc", 1), Error);
}

TEST_CASE("log text for a terminal") {
    CHECK(plain_log("a\r\n\x1b[?2004hb\x1b[31mc\x07\t") == "a\nbc\t");
}
