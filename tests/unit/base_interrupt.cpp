#include <signal.h>
#include <sys/wait.h>
#include <unistd.h>

#include "catch.hpp"
#include "clara/base/error.hpp"
#include "clara/base/interrupt.hpp"
#include "clara/base/process.hpp"

using namespace clara;

namespace {

/// The exit code a tool would end with when `signal` arrives; in a child, because the flag stays.
template <class Work>
int exit_code_of(Work work) {
    pid_t child = ::fork();
    if (child == 0) {
        catch_interrupts();
        try {
            work();
        } catch (const Error& e) {
            ::_exit(static_cast<int>(e.kind()));
        }
        ::_exit(0);
    }
    int status = 0;
    ::waitpid(child, &status, 0);
    return WEXITSTATUS(status);
}

}  // namespace

TEST_CASE("a signal becomes an Error when asked") {
    CHECK(exit_code_of([] { throw_if_interrupted(); }) == 0);
    CHECK(exit_code_of([] { ::raise(SIGINT), throw_if_interrupted(); }) == 130);
    CHECK(exit_code_of([] { ::raise(SIGTERM), throw_if_interrupted(); }) == 143);
}

TEST_CASE("a signal ends a running program") {
    CHECK(exit_code_of([] { run({"sh", "-c", "kill -TERM $PPID; exec sleep 1000"}); }) == 143);
}

TEST_CASE("an undo after the signal can still run programs") {
    CHECK(exit_code_of([] { ::raise(SIGTERM), run_ok({"true"}); }) == 0);
}
