#include <sys/wait.h>
#include <unistd.h>

#include <algorithm>

#include "catch.hpp"
#include "clara/base/error.hpp"
#include "clara/drivers/epics/ca.hpp"
#include "clara/drivers/epics/extra_servers.hpp"
#include "fixtures/lab.hpp"

using namespace clara;
using namespace std::chrono_literals;

TEST_CASE("Channel Access through a bridge") {
    Lab lab;
    lab.serve(ordinary());
    std::vector<std::string> names = {"MAGNETS:NONE", "MAGNETS:STATUS", "MAGNETS:CURRENT"};
    auto found = ca::find(names, host_subnet.broadcast(), 200ms, "clarabr0");
    ca::Server server{guest_subnet.address, 5064};
    CHECK(found ==
          std::map<std::string, ca::Server>{{"MAGNETS:STATUS", server}, {"MAGNETS:CURRENT", server}});
    CHECK(ca::find({"MAGNETS:STATUS"}, guest_subnet.address, 5s).count("MAGNETS:STATUS") == 1);
    CHECK(ca::find(names, host_subnet.broadcast(), 50ms, "none").empty());
    CHECK(ca::get(server, "MAGNETS:STATUS", 5s) == "On");
    CHECK(ca::get(server, "MAGNETS:CURRENT", 5s) == "12.5");
    CHECK_THROWS_WITH(ca::get(server, "MAGNETS:NONE", 5s),
                      "reading MAGNETS:NONE: the Channel Access server 10.87.0.11:5064 does not have it");
    CHECK_THROWS_AS(ca::get({guest_subnet.address, 5065}, "MAGNETS:STATUS", 5s), Error);
}

TEST_CASE("a second CA server of a guest is found") {
    NetSpace space;
    auto pvs = ordinary().pvs;
    MiniGuest first({{}, pvs, 5064});
    CHECK(extra_servers(::getpid(), 5064, 5064).empty());
    int ready[2], end[2];
    REQUIRE(::pipe(ready) == 0);
    REQUIRE(::pipe(end) == 0);
    pid_t child = ::fork();
    if (child == 0) {
        ::close(end[1]);
        // A fork has the first server's sockets as well; a real second server does not.
        ::close_range(3, static_cast<unsigned>(std::min({ready[0], ready[1], end[0]})) - 1, 0);
        MiniGuest second({{}, {}, 40123});
        (void)!::write(ready[1], "x", 1);
        char byte;
        (void)!::read(end[0], &byte, 1);
        ::_exit(0);
    }
    char byte;
    ::close(ready[1]);
    REQUIRE(::read(ready[0], &byte, 1) == 1);
    auto extra = extra_servers(::getpid(), 5064, 5064);
    REQUIRE(extra.size() == 1);
    CHECK(extra[0].pid == child);
    CHECK(extra[0].tcp == std::set<std::uint16_t>{40123});
    CHECK_THAT(extra[0].str(), Catch::Contains("on TCP 40123"));
    for (int fd : {ready[0], end[0], end[1]}) ::close(fd);
    ::waitpid(child, nullptr, 0);
}
