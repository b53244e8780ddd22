// The one file that includes libvirt. Private to this folder.
#pragma once
#include <libvirt/libvirt-qemu.h>
#include <libvirt/libvirt.h>
#include <libvirt/virterror.h>

#include <memory>
#include <string>

#include "clara/base/error.hpp"
#include "clara/base/handle.hpp"

namespace clara::libvirt {

using Domain = Handle<virDomain, virDomainFree>;
using Stream = Handle<virStream, virStreamFree>;
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

}  // namespace clara::libvirt
