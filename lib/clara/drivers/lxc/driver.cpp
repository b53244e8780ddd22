#include "clara/drivers/lxc/driver.hpp"

#include <fcntl.h>
#include <poll.h>
#include <sys/stat.h>

#include <algorithm>
#include <climits>
#include <sstream>
#include <thread>

#include "clara/base/error.hpp"
#include "clara/base/files.hpp"
#include "clara/base/process.hpp"
#include "clara/drivers/epics/procserv.hpp"
#include "clara/drivers/lxc/container.hpp"
#include "clara/drivers/lxc/leftovers.hpp"
#include "clara/drivers/lxc/rootfs.hpp"
#include "clara/drivers/lxc/states.hpp"
#include "clara/drivers/storage/mount.hpp"
#include "clara/ops/lxc_config.hpp"

namespace clara {
namespace {

using std::chrono::milliseconds;
using std::chrono::steady_clock;

// The hook may verify an image of some GB, once a boot.
constexpr milliseconds start_limit{120000};
// From the end of init to the end of the monitor: unmounting writes back what the guest wrote last, and on a
// busy pool that comes behind all that others write (30 s were not enough beside compilers, once in a
// thousand stops).
constexpr milliseconds unmount_limit{180000};
constexpr int told_lines = 4;

void refuse_foreign(const std::string& folder, const std::string& pool) {
    auto config = read_file(folder + "/config");
    if (!config) return;
    if (auto why = why_foreign(*config, lxc_config_head(pool)); !why.empty())
        throw Error(ErrorKind::refused, folder + " " + why, "choose another name, or remove that one first");
}

std::size_t size_of(const std::string& path) {
    struct stat st {};
    return ::stat(path.c_str(), &st) == 0 ? static_cast<std::size_t>(st.st_size) : 0;
}

/// "lxc-start a 20261123133717.263 ERROR  conf - ../src/lxc/conf.c:f:3628 - TEXT" -> TEXT
std::string text_of(const std::string& line) {
    auto at = line.find(" - ");
    at = at == std::string::npos ? at : line.find(" - ", at + 3);
    return at == std::string::npos ? line : line.substr(at + 3);
}

/// The monitor closes its socket, then runs the post-stop hook, which unmounts (liblxc 5, start.c: lxc_end).
void await_end(const std::string& lxc_path, const std::string& name, const std::string& run_dir) {
    auto deadline = steady_clock::now() + unmount_limit;
    for (;; std::this_thread::sleep_for(milliseconds{1})) {
        const bool monitored = is_monitored(lxc_path, name);
        if (!monitored && !is_mount_point(run_dir + "/guests/" + name + "/disk")) return;
        if (steady_clock::now() >= deadline)
            throw Error(ErrorKind::failed,
                        name + " has stopped, but LXC does not finish cleaning up: " +
                            (monitored ? "its monitor is still there" : "its disk is still mounted"),
                        "look at " + lxc_path + "/" + name + "/lxc.log");
    }
}

}  // namespace

void LxcDriver::define(const DefineGuest& guest) {
    const std::string folder = guest.home + "/" + guest.name;
    refuse_foreign(folder, guest.pool);
    make_dirs(guest.home);
    Fd parent = open_dir(guest.home);
    const bool made = !exists_at(parent.get(), guest.name);
    Fd dir = make_dir_at(parent.get(), guest.name, 0750);
    try {
        write_file_at(dir.get(), "config", guest.config);
    } catch (...) {
        if (made) remove_tree_at(parent.get(), guest.name);
        throw;
    }
}

void LxcDriver::undefine(const UndefineGuest& guest) {
    const std::string folder = guest.home + "/" + guest.name;
    if (!exists(folder)) return;
    refuse_foreign(folder, guest.pool);
    if (is_monitored(guest.home, guest.name))
        throw Error(ErrorKind::refused, guest.name + " is running",
                    "stop it first: clara-stop " + guest.name);
    remove_tree_at(open_dir(guest.home).get(), guest.name);
}

bool LxcDriver::running(const GuestRef& guest) {
    return is_monitored(guest.home, guest.name);
}

void LxcDriver::start(const StartGuest& guest) {
    const std::string folder = guest.home + "/" + guest.name;
    if (!exists(folder + "/config"))
        throw Error(ErrorKind::refused, "LXC knows no container " + guest.name + " in " + guest.home);
    if (is_monitored(guest.home, guest.name))
        throw Error(ErrorKind::refused, guest.name + " is running already");
    const std::string told = run_dir_ + "/guests/" + guest.name + "/error";
    if (::unlink(told.c_str()) != 0 && errno != ENOENT && errno != ENOTDIR)
        throw system_error("cannot remove " + told, errno);
    const std::size_t log_before = size_of(folder + "/lxc.log");
    RunOptions options;
    options.timeout = start_limit;
    RunResult result;
    try {
        // LXC 6.0.4 opens the log file that the config names, and writes nothing into it.
        result = run(
            {"lxc-start", "-d", "-P", guest.home, "-n", guest.name, "-o", folder + "/lxc.log", "-l", "ERROR"},
            options);
    } catch (...) {
        if (is_monitored(guest.home, guest.name)) stop(guest.home, guest.name, milliseconds{0});
        throw;
    }
    if (result.status == 0) return;
    await_end(guest.home, guest.name, run_dir_);
    std::string why = why_not_started(folder, guest.name, log_before);
    if (why.empty()) why = result.err;
    throw Error(ErrorKind::failed, "LXC did not start " + guest.name + ": " + why,
                "more may be in " + folder + "/lxc.log and console.log");
}

std::string LxcDriver::why_not_started(const std::string& folder, const std::string& name, std::size_t from) {
    if (auto told = read_file(run_dir_ + "/guests/" + name + "/error")) return *told;
    std::string log = read_file(folder + "/lxc.log").value_or("");
    std::istringstream lines(log.size() > from ? log.substr(from) : std::string());
    std::string why;
    int count = 0;
    for (std::string line; count < told_lines && std::getline(lines, line);)
        if (line.find(" ERROR ") != std::string::npos) why += (count++ ? "; " : "") + text_of(line);
    return why;
}

void LxcDriver::stop(const StopGuest& guest) {
    stop(guest.home, guest.name, guest.timeout);
}

void LxcDriver::stop(const std::string& lxc_path, const std::string& name, milliseconds timeout) {
    if (!is_monitored(lxc_path, name)) {
        // A killed run's: the next start would clear it, but a destroy or a copy needs the disk now.
        unmount_guest(run_dir_, name);
        clear_groups(name);
        clear_interface(name);
        return;
    }
    Container container(lxc_path, name);
    if (Fd init = container.init_handle()) {
        if (timeout > milliseconds{0}) container.ask_to_halt();
        pollfd end{init.get(), POLLIN, 0};
        auto deadline = steady_clock::now() + timeout;
        int ready = 0;
        do {
            auto left = std::chrono::ceil<milliseconds>(deadline - steady_clock::now()).count();
            ready = ::poll(&end, 1, static_cast<int>(std::clamp<long>(left, 0, INT_MAX)));
        } while (ready < 0 && errno == EINTR);
        if (ready == 0) container.kill();
    } else {
        container.kill();
    }
    await_end(lxc_path, name, run_dir_);
}

void LxcDriver::restart_ioc(const RestartIoc& guest) {
    int init = lxc_init_pid(guest.home, guest.name);
    if (init == 0)
        throw Error(ErrorKind::refused, guest.name + " is not running", "clara-start " + guest.name);
    clara::restart_ioc(init);
}

void LxcDriver::copy_disks(const CopyDisks& copy) {
    throw Error(ErrorKind::refused, copy.from + " is a container: only virtual machines are copied");
}

}  // namespace clara
