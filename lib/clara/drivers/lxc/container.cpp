#include "clara/drivers/lxc/container.hpp"

#include <lxc/lxccontainer.h>
#include <sys/socket.h>
#include <sys/syscall.h>
#include <sys/un.h>

#include <cerrno>
#include <cstring>

#include "clara/base/error.hpp"

namespace clara {
namespace {

/// liblxc often fails without a word; then our own context and the log have to do.
Error lxc_error(const lxc_container* c, const std::string& what) {
    std::string why = c->error_string ? std::string(": ") + c->error_string : "";
    return Error(ErrorKind::failed, what + " " + c->name + why,
                 "look at " + std::string(c->get_config_path(const_cast<lxc_container*>(c))) + "/" + c->name +
                     "/lxc.log");
}

}  // namespace

Container::Container(const std::string& lxc_path, const std::string& name)
    : container_(::lxc_container_new(name.c_str(), lxc_path.c_str())) {
    if (!container_)
        throw Error(ErrorKind::failed, "liblxc cannot read the container " + name + " in " + lxc_path);
}

Container::~Container() {
    ::lxc_container_put(container_);
}

pid_t Container::init_pid() {
    return std::max<pid_t>(container_->init_pid(container_), 0);
}

Fd Container::init_handle() {
    pid_t pid = init_pid();
    return pid == 0 ? Fd() : Fd(static_cast<int>(::syscall(SYS_pidfd_open, pid, 0)));
}

bool Container::stopping() {
    const char* state = container_->state(container_);
    return state && std::strcmp(state, "STOPPING") == 0;
}

void Container::ask_to_halt() {
    if (!container_->shutdown(container_, 0) && init_pid() != 0)
        throw lxc_error(container_, "cannot signal the init of");
}

void Container::kill() {
    if (!container_->stop(container_) && container_->is_running(container_))
        throw lxc_error(container_, "cannot kill");
}

bool is_monitored(const std::string& lxc_path, const std::string& name) {
    // Abstract, hence seen in this network namespace only; longer names LXC would hash.
    const std::string path = lxc_path + "/" + name + "/command";
    sockaddr_un address{};
    address.sun_family = AF_UNIX;
    if (path.size() + 2 > sizeof address.sun_path)
        throw Error(ErrorKind::usage, "LXC path too long: " + lxc_path,
                    "set a shorter lxc_path in site.yaml");
    std::memcpy(address.sun_path + 1, path.data(), path.size());
    Fd socket(::socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0));
    if (!socket) throw system_error("cannot open a socket", errno);
    auto size = static_cast<socklen_t>(offsetof(sockaddr_un, sun_path) + 1 + path.size());
    if (::connect(socket.get(), reinterpret_cast<sockaddr*>(&address), size) == 0) return true;
    if (errno == ECONNREFUSED || errno == ENOENT) return false;
    throw system_error("cannot ask for the monitor of " + name, errno);
}

}  // namespace clara
