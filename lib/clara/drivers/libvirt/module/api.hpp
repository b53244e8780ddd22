// The one file that includes libvirt. Private to this folder.
#pragma once
#include <libvirt/libvirt-qemu.h>
#include <libvirt/libvirt.h>
#include <libvirt/virterror.h>

#include <cstdlib>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "clara/base/error.hpp"
#include "clara/base/handle.hpp"
#include "clara/drivers/libvirt/hypervisor.hpp"

namespace clara::libvirt {

using Domain = Handle<virDomain, virDomainFree>;
using Stream = Handle<virStream, virStreamFree>;
inline void free_text(char* text) {
    std::free(text);
}
using Text = Handle<char, free_text>;
/// Shared by the calls that are under way and the streams that are open.
using Connection = std::shared_ptr<virConnect>;

/// libvirt's last error of this thread, to be made at the throw site: freeing any handle clears it.
Error last_error(const std::string& what, virConnectPtr connection = nullptr);

/// Error{refused} where there is no such domain.
Domain find_domain(virConnectPtr connection, const std::string& name);

/// Error{refused} where libvirtd cannot be reached.
Connection open_connection(const std::string& uri, bool read_only);

/// A connection that is served by the event loop, as streams need it; its server is asked for signs of life.
Connection open_watched_connection(const std::string& uri);

/// Carries between an open stream and the socket that is returned, until either ends.
Fd carry(Connection connection, Stream stream);

// What Hypervisor's methods of these names do.
void begin_backup(virConnectPtr connection, const std::string& name, const std::string& xml,
                  const std::string& checkpoint);
std::optional<std::string> backup(virConnectPtr connection, const std::string& name);
JobState job(virConnectPtr connection, const std::string& name);
void abort_job(virConnectPtr connection, const std::string& name);
void begin_pull(virConnectPtr connection, const std::string& name, const std::string& disk,
                std::uint64_t rate);
std::optional<JobState> disk_job(virConnectPtr connection, const std::string& name, const std::string& disk);
std::string monitor(virConnectPtr connection, const std::string& name, const std::string& command);
std::string keep_memory(virConnectPtr connection, const std::string& name, const std::string& xml);
void wake(virConnectPtr connection, const std::string& name, const std::string& xml);
void forget_snapshots(virConnectPtr connection, const std::string& name, const std::string& prefix);
void forget_checkpoints(virConnectPtr connection, const std::string& name);
std::vector<std::string> checkpoints(virConnectPtr connection, const std::string& name);
void delete_checkpoint(virConnectPtr connection, const std::string& name, const std::string& checkpoint);

}  // namespace clara::libvirt
