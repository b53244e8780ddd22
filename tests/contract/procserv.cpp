// Against a real procServ with a small shell script for an IOC; /proc/self/root stands for the guest's.
#include "clara/drivers/epics/procserv.hpp"

#include <signal.h>
#include <sys/wait.h>

#include <cstdlib>
#include <filesystem>
#include <thread>

#include "catch.hpp"
#include "clara/base/error.hpp"
#include "clara/base/files.hpp"

using namespace clara;

namespace {

class ProcServ {
  public:
    explicit ProcServ(std::vector<std::string> options = {}) {
        REQUIRE(exists("/usr/bin/procServ"));  // package procserv
        char name[] = "/tmp/clara-procserv-XXXXXX";
        folder = ::mkdtemp(name);
        write_file(folder + "/child",
                   "#!/bin/sh\nwhile read -r line; do case $line in exit) echo bye >>" + folder +
                       "/said; exit 0;; deaf) while :; do read -r x; done;; esac; done\n",
                   0755);
        std::vector<std::string> argv{"/usr/bin/procServ",
                                      "-f",
                                      "-L",
                                      "/dev/null",
                                      "-n",
                                      "demo",
                                      "-i",
                                      "^D^C",
                                      "--holdoff",
                                      "0",
                                      "-I",
                                      folder + "/info",
                                      "-P",
                                      "unix:" + socket()};
        argv.insert(argv.end(), options.begin(), options.end());
        argv.push_back(folder + "/child");
        pid_ = ::fork();
        if (pid_ == 0) {
            std::vector<char*> words;
            for (auto& word : argv) words.push_back(word.data());
            words.push_back(nullptr);
            if (!::freopen("/dev/null", "r", stdin) || !::freopen("/dev/null", "w", stdout)) ::_exit(126);
            ::execv(words[0], words.data());
            ::_exit(127);
        }
        for (int tries = 0; tries < 500 && !exists(socket()); ++tries)
            std::this_thread::sleep_for(std::chrono::milliseconds(10));
    }
    ~ProcServ() {
        ::kill(pid_, SIGTERM);
        ::waitpid(pid_, nullptr, 0);
        std::filesystem::remove_all(folder);
    }
    std::string socket() const { return folder + "/socket"; }
    std::string folder;

  private:
    pid_t pid_;
};

}  // namespace

TEST_CASE("an IOC is restarted by its own exit") {
    ProcServ procserv;
    int first =
        restart_ioc(::getpid(), std::chrono::seconds(20), std::chrono::seconds(10), procserv.socket());
    int second =
        restart_ioc(::getpid(), std::chrono::seconds(20), std::chrono::seconds(10), procserv.socket());
    CHECK(first > 0);
    CHECK(second > 0);
    CHECK(second != first);
    CHECK(read_file(procserv.folder + "/said").value_or("").starts_with("bye\n"));
}

TEST_CASE("one that does not listen is killed, one without automatic restart is started") {
    ProcServ procserv({"--noautorestart"});
    int first =
        restart_ioc(::getpid(), std::chrono::seconds(20), std::chrono::seconds(10), procserv.socket());
    write_all(connect_inside(::getpid(), procserv.socket()).get(), "deaf\n");
    int second =
        restart_ioc(::getpid(), std::chrono::seconds(20), std::chrono::milliseconds(300), procserv.socket());
    CHECK(second != first);
}

TEST_CASE("nobody at the socket") {
    CHECK_THROWS_AS(connect_inside(::getpid(), "/tmp/clara-no-such-socket"), Error);
    CHECK_THROWS_AS(connect_inside(0x7fffffff, "/tmp/x"), Error);
}
