#include <fcntl.h>
#include <poll.h>
#include <sys/stat.h>

#include "catch.hpp"
#include "clara/base/error.hpp"
#include "clara/base/handle.hpp"
#include "clara/base/process.hpp"
#include "temp_dir.hpp"

using namespace clara;
using namespace std::chrono_literals;

TEST_CASE("output, error output and status come back") {
    RunResult r = run({"sh", "-c", "cat; echo talk >&2; exit 3"}, {.input = "result"});
    CHECK(r.out == "result");
    CHECK(r.err == "talk\n");
    CHECK(r.status == 3);
    CHECK(run({"sh", "-c", "kill -9 $$"}).status == 128 + 9);
}

TEST_CASE("arguments are never read by a shell") {
    CHECK(run_ok({"printf", "%s", "$(id); `id` > x"}) == "$(id); `id` > x");
}

TEST_CASE("environment and folder are as asked") {
    CHECK(run_ok({"sh", "-c", "echo $A-$HOME; pwd"}, {.extra_env = {"A=1", "HOME=/h"}, .cwd = "/usr"}) ==
          "1-/h\n/usr\n");
}

TEST_CASE("a failed program's last lines are in the error") {
    CHECK_THROWS_WITH(run_ok({"sh", "-c", "for i in 1 2 3 4 5 6 7; do echo line $i >&2; done; exit 1"}),
                      "sh failed with status 1: line 3\nline 4\nline 5\nline 6\nline 7");
}

TEST_CASE("a missing program is named") {
    CHECK_THROWS_WITH(run({"no-such-program"}), "cannot start no-such-program: No such file or directory");
}

TEST_CASE("a program that overruns is killed with its children") {
    TempDir dir;
    std::string fifo = dir / "alive";  // at its end when nobody is left to write
    REQUIRE(::mkfifo(fifo.c_str(), 0600) == 0);
    Fd alive(::open(fifo.c_str(), O_RDONLY | O_NONBLOCK | O_CLOEXEC));
    CHECK_THROWS_WITH(run({"sh", "-c", "sleep 1000 > \"$0\" & sleep 1000", fifo}, {.timeout = 200ms}),
                      "sh did not end within 200 ms");
    pollfd end{alive.get(), POLLIN, 0};
    CHECK(::poll(&end, 1, 10000) == 1);
    CHECK(end.revents == POLLHUP);
}

TEST_CASE("a daemon that keeps the output open does not keep us") {
    RunResult r = run({"sh", "-c", "sleep 1000 & echo $!"});
    CHECK(r.status == 0);
    CHECK(run({"kill", r.out.substr(0, r.out.find('\n'))}).status == 0);
}

TEST_CASE("output over the limit is dropped") {
    RunResult r = run({"head", "-c", "1000000", "/dev/zero"}, {.output_limit = 1000});
    CHECK(r.out.size() == 1000);
    CHECK(r.status == 0);
}

TEST_CASE("output can be taken as it comes, and who takes it can end the program") {
    std::size_t bytes = 0;
    RunResult r = run({"head", "-c", "5000000", "/dev/zero"},
                      {.on_output = [&](std::string_view piece) { bytes += piece.size(); }});
    CHECK(bytes == 5000000);
    CHECK(r.out.empty());

    auto full = [](std::string_view) { throw Error(ErrorKind::failed, "no room"); };
    CHECK_THROWS_WITH(run({"sh", "-c", "sleep 1000 & cat /dev/zero"}, {.on_output = full}), "no room");
}
