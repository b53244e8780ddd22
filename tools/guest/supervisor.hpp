// A service: started, its output logged, started again when it ends.
#pragma once
#include "children.hpp"
#include "config.hpp"
#include "log.hpp"
#include "loop.hpp"

namespace guest {

/// A pipe whose other end is written to a log; the loop empties it, so writers do not block.
class LogPipe {
  public:
    LogPipe(Loop& loop, LogFile log);
    ~LogPipe();
    int write_end() const { return write_.get(); }
    void drain();

  private:
    Loop& loop_;
    LogFile log_;
    clara::Fd read_, write_;
};

class Supervisor {
  public:
    Supervisor(Loop& loop, Children& children, const Service& service);
    void start();
    void stop_restarting() { stopping_ = true; }
    const Service& service() const { return service_; }
    bool running() const { return running_; }
    void drain() { output_.drain(); }

  private:
    void ended(int status);
    void start_later();

    Loop& loop_;
    Children& children_;
    const Service service_;
    LogPipe output_;
    Loop::Time::time_point started_;
    std::chrono::milliseconds pause_{};  ///< before the next start; 0 after it ran well, else 1 s ... 30 s
    bool running_ = false;
    bool stopping_ = false;
};

}  // namespace guest
