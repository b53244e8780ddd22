// A clean end for an IOC. SIGTERM to procServ would kill it at once; its console can ask it to exit instead.
#pragma once
#include <functional>
#include <string>

#include "clara/base/handle.hpp"
#include "loop.hpp"

namespace guest {

/// Over procServ's console (2.7 and 2.8): no automatic restart any more, "exit", wait for the IOC's end.
class IocStop {
  public:
    /// `over` is called once, at the latest after ten seconds.
    IocStop(Loop& loop, const std::string& socket, std::function<void()> over);
    ~IocStop() { close(); }
    IocStop(const IocStop&) = delete;

  private:
    void ready();
    void line(const std::string& text);
    void type(const std::string& keys);
    void finish();
    void close();

    Loop& loop_;
    std::function<void()> over_;
    clara::Fd fd_;
    Loop::Timer deadline_{};
    std::string rest_;  ///< the line that is not complete yet
    bool restarts_ = false, down_ = false, asked_ = false;
};

}  // namespace guest
