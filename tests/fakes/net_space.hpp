// An own network namespace for the test's thread: nothing of the machine's network is seen or touched.
#pragma once
#include <fcntl.h>
#include <sched.h>
#include <unistd.h>

#include <stdexcept>
#include <string>
#include <vector>

#include "clara/base/handle.hpp"
#include "clara/base/process.hpp"

class NetSpace {
  public:
    NetSpace() : before_(open_current()) {
        if (::unshare(CLONE_NEWNET) != 0) throw std::runtime_error("cannot unshare the network (needs root)");
        inside_ = open_current();
        clara::run_ok({"ip", "link", "set", "lo", "up"});
    }
    NetSpace(const NetSpace&) = delete;
    NetSpace& operator=(const NetSpace&) = delete;
    ~NetSpace() { ::setns(before_.get(), CLONE_NEWNET); }

    int fd() const { return inside_.get(); }

  private:
    static clara::Fd open_current() {
        clara::Fd fd(::open("/proc/thread-self/ns/net", O_RDONLY | O_CLOEXEC));
        if (!fd) throw std::runtime_error("cannot open the network namespace");
        return fd;
    }
    clara::Fd before_, inside_;
};
