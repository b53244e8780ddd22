#include "clara/drivers/log_source.hpp"

#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cerrno>
#include <memory>

#include "clara/base/error.hpp"
#include "clara/base/files.hpp"
#include "clara/drivers/disks/disk_hold.hpp"
#include "clara/drivers/disks/guest_disk.hpp"
#include "clara/drivers/disks/qemu_img.hpp"
#include "clara/drivers/disks/scratch_disk.hpp"
#include "clara/drivers/libvirt/agent.hpp"
#include "clara/drivers/lxc/states.hpp"
#include "clara/drivers/storage/layout.hpp"

namespace clara {
namespace {

constexpr std::size_t most = 4 << 20;  // bytes told at once

/// virtlogd puts console.log aside as console.log.0 (virtlogd.conf, max_size).
std::optional<Fd> open_console_log(const GuestSpec& spec, bool rotated) {
    const std::string path = pool::console_log(spec.pool, spec.name) + (rotated ? ".0" : "");
    Fd fd(::open(path.c_str(), O_RDONLY | O_NOFOLLOW | O_NONBLOCK | O_CLOEXEC));
    if (!fd && errno == ENOENT) return std::nullopt;
    if (!fd) throw system_error("cannot open " + path, errno);
    return fd;
}

std::shared_ptr<Hypervisor> running_domain(const Site& site, const GuestSpec& spec, Access access) {
    auto host = open_hypervisor(site.libvirt_uri, access);
    const auto domain = host->find(spec.name);
    return domain && domain->run != DomainState::Run::off ? host : nullptr;
}

LogSource console_source(const Site& site, const GuestSpec& spec) {
    LogSource source{console_log(spec), {}};
    if (auto host = running_domain(site, spec, Access::read)) {
        auto runs = [host, spec] {
            const auto domain = host->find(spec.name);
            return domain && domain->run != DomainState::Run::off;
        };
        auto follower = std::make_shared<LogFollower>(
            [spec](bool rotated) { return open_console_log(spec, rotated); }, runs);
        source.more = [follower, runs]() -> std::optional<std::string> {
            const bool running = runs();  // first: its last words come in between
            auto text = follower->more();
            return !running && text && text->empty() ? std::nullopt : text;
        };
    }
    return source;
}

/// Through the guest agent, which tells no inode: a log that became shorter was put aside.
LogSource agent_source(std::shared_ptr<Hypervisor> host, const GuestSpec& spec, const std::string& service) {
    auto files = std::make_shared<AgentFiles>(host, spec.name);
    const std::string path = log_path(service);
    LogSource source;
    source.read = [files](const std::string& file, std::size_t last) -> std::optional<std::string> {
        auto part = files->read_end(file, last);
        return part ? std::optional(std::move(part->bytes)) : std::nullopt;
    };
    const auto begin = files->read_end(path, 0);
    source.more = [files, host, path, name = spec.name,
                   at = begin ? begin->size : 0]() mutable -> std::optional<std::string> {
        const auto domain = host->find(name);
        if (!domain || domain->run == DomainState::Run::off) return std::nullopt;
        std::string text;
        auto part = files->read(path, at, most);
        if (part && part->size < at) {
            if (auto old = files->read(path + ".1", at, most)) text = std::move(old->bytes);
            at = 0;
            part = files->read(path, at, most);
        }
        if (!part) return text;
        at += part->bytes.size();
        return text + part->bytes;
    };
    return source;
}

LogSource container_source(const Site& site, const GuestSpec& spec, const std::string& service) {
    const int init = lxc_init_pid(site.lxc_path, spec.name);
    if (!init) return {stopped_log(pool::guest(spec.pool, spec.name) + "/disk.raw"), {}};
    auto root = std::make_shared<GuestRoot>(init);
    auto follower = std::make_shared<LogFollower>(*root, service);
    auto read = running_log(*root);
    return {[root, read](const std::string& path, std::size_t last) { return read(path, last); },
            [root, follower] { return follower->more(); }};
}

}  // namespace

std::string main_service(const GuestSpec& spec) {
    if (spec.kind == "kvm" && spec.init != "clara") return console_service;
    if (spec.ioc) return "ioc";
    if (spec.daemon.present()) return spec.daemon.name.empty() ? "service" : spec.daemon.name;
    return "init";
}

LogReader console_log(const GuestSpec& spec) {
    // log_tail() asks for LOG, then LOG.1 and so on.
    return [spec](const std::string& path, std::size_t last) -> std::optional<std::string> {
        const bool rotated = path.ends_with(".log.1");
        if (!rotated && !path.ends_with(".log")) return std::nullopt;
        auto fd = open_console_log(spec, rotated);
        if (!fd) return rotated ? std::nullopt : std::optional<std::string>(std::string());
        struct stat st {};
        if (::fstat(fd->get(), &st) != 0) throw system_error("cannot examine the console's log", errno);
        return read_from(*fd, std::max<off_t>(0, st.st_size - static_cast<off_t>(last)), last);
    };
}

LogReader stopped_vm_log(const GuestSpec& spec) {
    struct Looked {  // in this order: what is below goes last
        Fd held;
        ScratchDisk scratch;
        GuestDisk disk;
        explicit Looked(const std::string& path)
            : held(hold_disk(path)),
              scratch(disk_info(path, "qcow2").size),
              disk(scratch.above(disk_chain(path, "qcow2"))) {}
    };
    auto looked = std::make_shared<Looked>(pool::guest(spec.pool, spec.name) + "/disk.qcow2");
    return [looked](const std::string& path, std::size_t last) { return looked->disk.read_end(path, last); };
}

LogSource open_log(const Site& site, const GuestSpec& spec, const std::string& service) {
    if (spec.kind == "kvm" && service == console_service) return console_source(site, spec);
    if (spec.init != "clara")
        throw Error(ErrorKind::refused, spec.name + " runs its image's own init, so its logs are its own",
                    spec.kind == "kvm"
                        ? "clara-console --shell " + spec.name + ", or clara-log --service console"
                        : "clara-console --shell " + spec.name + ", or " + site.lxc_path + "/" + spec.name +
                              "/console.log");
    if (spec.kind != "kvm") return container_source(site, spec, service);
    if (auto host = running_domain(site, spec, Access::change)) return agent_source(host, spec, service);
    return {stopped_vm_log(spec), {}};
}

}  // namespace clara
