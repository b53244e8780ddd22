// What libvirtd runs before a domain of ours starts and after it ended, whoever started it (virsh,
// autostart). It may not call libvirt: libvirtd waits for it.
#pragma once
#include <string>

namespace clara {

struct LibvirtHookCall {
    std::string domain;  ///< its name
    std::string
        operation;      ///< prepare | start | started | stopped | release | migrate | restore | reconnect ...
    std::string phase;  ///< begin | end | -
};

/// The domain's XML is read from `xml_fd`. Domains without our mark are let through untouched.
/// prepare begin: Error{busy} where another host has the lease, Error{refused} where the pool does not show
/// the guest (it is not mounted) or a rollback was killed half-way; else the lease is ours. reconnect begin
/// (libvirtd was restarted): the lease is written where there is none. release end: it is given back.
void libvirt_hook(const LibvirtHookCall& call, int xml_fd);

}  // namespace clara
