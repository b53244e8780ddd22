#include "supervisor.hpp"

#include <fcntl.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <cstring>
#include <stdexcept>

namespace guest {
namespace {

using namespace std::chrono_literals;
constexpr auto ran_well = 10s;  // a service that lived as long is started again at once
constexpr auto first_pause = 1000ms, longest_pause = 30000ms;

}  // namespace

LogPipe::LogPipe(Loop& loop, LogFile log) : loop_(loop), log_(std::move(log)) {
    int ends[2];
    if (::pipe2(ends, O_CLOEXEC) != 0)
        throw std::runtime_error("cannot make a pipe: " + std::string(std::strerror(errno)));
    read_.reset(ends[0]);
    write_.reset(ends[1]);
    // Only our end: O_NONBLOCK on the service's would be its own surprise.
    ::fcntl(read_.get(), F_SETFL, O_NONBLOCK);
    loop_.watch(read_.get(), POLLIN, [this](short) { drain(); });
}

LogPipe::~LogPipe() {
    loop_.forget(read_.get());
}

void LogPipe::drain() {
    char buffer[16384];
    // At most a pipe's worth at a time: one chatty service does not starve the others.
    for (int turn = 0; turn < 4; ++turn) {
        ssize_t got = ::read(read_.get(), buffer, sizeof buffer);
        if (got <= 0) return;
        log_.append({buffer, static_cast<std::size_t>(got)});
    }
}

Supervisor::Supervisor(Loop& loop, Children& children, const Service& service)
    : loop_(loop),
      children_(children),
      service_(service),
      output_(loop, LogFile(service.name, service.log_size, service.log_keep)) {}

void Supervisor::start() {
    if (stopping_) return;
    started_ = Loop::Time::now();
    try {
        Start start{service_.argv, service_.env, service_.cwd, find_account(service_.user)};
        start.env.push_back("USER=" + service_.user);
        start.env.push_back("HOME=" + start.account.home);
        start.out = output_.write_end();
        for (const auto& socket : service_.sockets) ::unlink(socket.c_str());
        children_.start(start, [this](int status) { ended(status); });
        running_ = true;
    } catch (const std::exception& e) {
        complain("%s: %s", service_.name.c_str(), e.what());
        start_later();
    }
}

void Supervisor::ended(int status) {
    running_ = false;
    say("%s %s", service_.name.c_str(), tell_status(status).c_str());
    if (!stopping_ && service_.restart) start_later();
}

void Supervisor::start_later() {
    if (Loop::Time::now() - started_ >= ran_well)
        pause_ = 0ms;
    else
        pause_ = std::clamp(pause_ * 2, first_pause, longest_pause);
    say("%s starts again in %d ms", service_.name.c_str(), static_cast<int>(pause_.count()));
    loop_.after(pause_, [this] { start(); });
}

}  // namespace guest
