#include "guest.hpp"

#include <fcntl.h>
#include <linux/magic.h>
#include <signal.h>
#include <sys/mount.h>
#include <sys/signalfd.h>
#include <sys/stat.h>
#include <sys/vfs.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <cstring>

#include "log.hpp"

namespace guest {
namespace {

using namespace std::chrono_literals;

template <class F>
void attempt(const char* what, F&& work) {
    try {
        work();
    } catch (const std::exception& e) {
        complain("%s: %s", what, e.what());
    }
}

void make_folder(const std::string& path, uid_t uid, gid_t gid, mode_t mode) {
    for (std::size_t at = path.find('/', 1); at != std::string::npos; at = path.find('/', at + 1))
        ::mkdir(path.substr(0, at).c_str(), 0755);
    if (::mkdir(path.c_str(), mode) != 0 && errno != EEXIST)
        return complain("cannot make %s: %s", path.c_str(), std::strerror(errno));
    if (::lchown(path.c_str(), uid, gid) != 0)
        complain("cannot own %s: %s", path.c_str(), std::strerror(errno));
}

void mount_tmpfs(const std::string& path) {
    struct statfs fs {};
    if (::statfs(path.c_str(), &fs) == 0 && fs.f_type == TMPFS_MAGIC) return;
    if (::mount("tmpfs", path.c_str(), "tmpfs", MS_NOSUID | MS_NODEV, "mode=0755,size=16m") != 0)
        complain("cannot mount a tmpfs on %s: %s", path.c_str(), std::strerror(errno));
}

clara::Fd open_signals() {
    sigset_t wanted;
    ::sigemptyset(&wanted);
    for (int signal : {SIGCHLD, SIGPWR, SIGTERM, SIGINT, SIGUSR1, SIGUSR2}) ::sigaddset(&wanted, signal);
    // Blocked ones reach even a PID 1, which is otherwise deaf to what it has no handler for.
    ::sigprocmask(SIG_BLOCK, &wanted, nullptr);
    ::signal(SIGPIPE, SIG_IGN);
    return clara::Fd(::signalfd(-1, &wanted, SFD_CLOEXEC | SFD_NONBLOCK));
}

}  // namespace

Guest::Guest() : signals_(open_signals()) {
    ::umask(022);
    // The console is the monitor's: one that does not read must not stop PID 1.
    ::fcntl(STDERR_FILENO, F_SETFL, O_WRONLY | O_NONBLOCK);
    loop_.watch(signals_.get(), POLLIN, [this](short) { signalled(); });
}

void Guest::boot(const std::string& config_file) {
    if (is_machine()) {
        mount_kernel_files();
        attempt("machine", [&] { machine_.emplace(loop_, children_, [this] { stop(SIGPWR); }).start(); });
    }
    make_folder(log_folder, 0, 0, 0755);
    Config config;
    try {
        config = read_config(config_file);
    } catch (const std::exception& e) {
        // Exiting would make LXC restart or stop us: waiting leaves a guest that lxc-attach can repair.
        complain("%s: %s", config_file.c_str(), e.what());
        complain("nothing is started; repair it (clara-console --shell, lxc-attach) and restart the guest");
        return;
    }
    for (const auto& path : config.tmpfs) mount_tmpfs(path);
    attempt("users", [&] { ensure_users(config.users); });
    if (machine_) set_up_machine(config.machine);
    for (const auto& folder : config.folders)
        attempt(folder.path.c_str(), [&] {
            const Account owner = find_account(folder.user);
            make_folder(folder.path, owner.uid, owner.gid, folder.mode);
        });
    // Services first: the time until 7001 answers is what an operator waits for.
    for (const auto& service : config.services)
        attempt(service.name.c_str(), [&] {
            services_.emplace_back(loop_, children_, service).start();
            grace_ = std::max(grace_, std::chrono::milliseconds(service.stop_ms));
        });
    if (machine_) attempt("machine", [&] { machine_->start(config.machine); });
    for (const auto& relay : config.relays)
        attempt("relay", [&] { relays_.emplace_back(loop_, relay).open(); });
    for (const auto& listener : config.listeners)
        attempt("listener", [&] { listeners_.emplace_back(loop_, children_, listener).start(); });
    attempt("home folders", [&] { ensure_homes(config.users); });
    say("up: %d services, %d relays, %d listeners", static_cast<int>(services_.size()),
        static_cast<int>(relays_.size()), static_cast<int>(listeners_.size()));
}

int Guest::run() {
    while (!gone_) attempt("init", [this] { loop_.turn(); });
    for (auto& service : services_) service.drain();
    return stopping_;
}

void Guest::signalled() {
    signalfd_siginfo info{};
    while (::read(signals_.get(), &info, sizeof info) == sizeof info) switch (info.ssi_signo) {
            case SIGCHLD:
                break;
            // In a machine busybox's own halt, poweroff and reboot, which its shell prefers to any program of
            // that name, say it so (busybox init/halt.c).
            case SIGUSR1:
            case SIGUSR2:
                if (machine_) stop(SIGPWR);
                break;
            case SIGTERM:
                stop(machine_ ? SIGINT : SIGTERM);
                break;
            default:
                stop(static_cast<int>(info.ssi_signo));
        }
    const bool left = children_.reap();
    if (terminated_ && !left) gone_ = true;
}

void Guest::stop(int signal) {
    if (stopping_) return;
    stopping_ = signal;
    say("signal %d: going down", signal);
    for (auto& relay : relays_) relay.close();
    for (auto& listener : listeners_) listener.close();
    for (auto& service : services_) {
        service.stop_restarting();
        if (service.running() && !service.service().procserv.empty()) ++iocs_left_;
    }
    if (iocs_left_ == 0) return terminate();
    for (auto& service : services_)
        if (service.running() && !service.service().procserv.empty())
            ioc_stops_.emplace_back(loop_, service.service().procserv, [this] { ioc_stopped(); });
}

void Guest::ioc_stopped() {
    if (--iocs_left_ == 0) terminate();
}

void Guest::terminate() {
    terminated_ = true;
    if (machine_) machine_->stop();
    ::kill(-1, SIGTERM);
    loop_.after(grace_, [this] {
        say("not everything ended by SIGTERM: killed");
        ::kill(-1, SIGKILL);
        loop_.after(1000ms, [this] { gone_ = true; });  // a process in state D does not hold up the rest
    });
    if (!children_.reap()) gone_ = true;
}

}  // namespace guest
