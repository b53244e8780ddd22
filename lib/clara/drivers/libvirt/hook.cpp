#include "clara/drivers/libvirt/hook.hpp"

#include <fcntl.h>
#include <unistd.h>

#include <cerrno>

#include "clara/base/error.hpp"
#include "clara/base/files.hpp"
#include "clara/drivers/storage/layout.hpp"
#include "clara/drivers/storage/lease.hpp"
#include "clara/ops/domain_mark.hpp"
#include "clara/spec/names.hpp"

namespace clara {
namespace {

constexpr std::size_t xml_limit = 8 << 20;  // bytes

std::string read_all(int fd) {
    std::string text;
    char buffer[16384];
    for (;;) {
        const ssize_t got = ::read(fd, buffer, sizeof buffer);
        if (got < 0 && errno == EINTR) continue;
        if (got < 0) throw system_error("cannot read the domain's XML", errno);
        if (got == 0) return text;
        text.append(buffer, static_cast<std::size_t>(got));
        if (text.size() > xml_limit) throw Error(ErrorKind::refused, "the domain's XML is too long");
    }
}

/// The guest's folder. What the mark says was written by whoever may define domains.
Fd open_guest(const DomainIdentity::Mark& mark) {
    const std::string folder = pool::guest(mark.pool, mark.name);
    if (!name_problem(mark.name).empty() || !mark.pool.starts_with('/'))
        throw Error(ErrorKind::refused, "the domain's mark names no guest: " + folder);
    Fd dir(::open(folder.c_str(), O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC));
    if (!dir && errno != ENOENT) throw system_error("cannot open " + folder, errno);
    if (!dir || !exists_at(dir.get(), "guest.yaml"))
        throw Error(ErrorKind::refused, "there is no guest " + mark.name + " in " + mark.pool,
                    "mount the pool, or remove the domain: virsh undefine " + mark.name);
    return dir;
}

/// Some of its disks are of then and some of now: a system that starts on them may be beyond repair.
void refuse_torn(int dir, const std::string& name) {
    if (auto whole = read_file_at(dir, pool::unfinished_rollback, 4096))
        throw Error(ErrorKind::refused, "a rollback of " + name + " was killed between its disks",
                    "clara-snapshot rollback " + name + " " + *whole);
}

/// One of this host is void: libvirtd itself starts no domain twice, and qemu's lock keeps the disk.
void take_lease(int dir, const std::string& name, const std::string& folder) {
    if (auto lease = read_lease(dir); lease && lease->host != this_host())
        throw Error(ErrorKind::busy, name + " belongs to " + lease->text(),
                    "stop it there; if that host is gone for good, remove the file lease in " + folder);
    write_lease(dir, new_lease(::getppid(), system_clock(), system_random()));
}

}  // namespace

void libvirt_hook(const LibvirtHookCall& call, int xml_fd) {
    const std::string what = call.operation + " " + call.phase;
    if (what != "prepare begin" && what != "reconnect begin" && what != "release end") return;
    const DomainIdentity domain = read_domain_identity(read_all(xml_fd));
    if (!domain.mark || domain.mark->name != domain.name || domain.name != call.domain) return;
    const Fd dir = open_guest(*domain.mark);
    if (what == "prepare begin") {
        refuse_torn(dir.get(), domain.name);
        take_lease(dir.get(), domain.name, pool::guest(domain.mark->pool, domain.name));
        return;
    }
    const auto lease = read_lease(dir.get());
    if (what == "reconnect begin" && !lease)
        write_lease(dir.get(), new_lease(::getppid(), system_clock(), system_random()));
    if (what == "release end" && lease && lease->host == this_host()) remove_lease(dir.get());
}

}  // namespace clara
