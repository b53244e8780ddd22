#include <string_view>

#include "clara/drivers/libvirt/module/api.hpp"

namespace clara::libvirt {
namespace {

/// Without this libvirt prints each error to stderr, too.
void say_nothing(void*, virErrorPtr) {}

const char* way_out(const virError& error) {
    switch (error.code) {
        case VIR_ERR_NO_CONNECT:
        case VIR_ERR_SYSTEM_ERROR:  // its socket is absent or refuses
        case VIR_ERR_INTERNAL_ERROR:
            return "start it: systemctl start libvirtd; install it: apt-get install libvirt-daemon-system "
                   "qemu-system-x86";
        case VIR_ERR_AUTH_FAILED:
        case VIR_ERR_AUTH_UNAVAILABLE:
        case VIR_ERR_AUTH_CANCELLED:
            return "do it as root, or as a member of the group libvirt";
        default:
            return "look at libvirt-uri in site.yaml";
    }
}

}  // namespace

Error last_error(const std::string& what, virConnectPtr connection) {
    const virError* error = ::virGetLastError();
    const std::string why = error && error->message ? error->message : "unknown error";
    const int code = error ? error->code : VIR_ERR_OK;
    if (connection && ::virConnectIsAlive(connection) != 1)
        return {
            ErrorKind::failed, what + ": the connection to libvirt is lost: " + why,
            "guests run on without libvirtd; when it is up again (systemctl status libvirtd), run it again"};
    if (code == VIR_ERR_NO_DOMAIN) return {ErrorKind::refused, what + ": " + why};
    return {ErrorKind::failed, what + ": " + why};
}

Domain find_domain(virConnectPtr connection, const std::string& name) {
    Domain domain(::virDomainLookupByName(connection, name.c_str()));
    if (domain) return domain;
    const virError* error = ::virGetLastError();
    if (error && error->code == VIR_ERR_NO_DOMAIN)
        throw Error(ErrorKind::refused, "libvirt knows no domain " + name);
    throw last_error("cannot look for the domain " + name, connection);
}

Connection open_connection(const std::string& uri, bool read_only) {
    ::virSetErrorFunc(nullptr, say_nothing);
    virConnectPtr connection =
        read_only ? ::virConnectOpenReadOnly(uri.c_str()) : ::virConnectOpen(uri.c_str());
    if (connection) return {connection, ::virConnectClose};
    const virError* error = ::virGetLastError();
    throw Error(
        ErrorKind::refused,
        "cannot connect to libvirt (" + uri + "): " + (error && error->message ? error->message : "?"),
        error ? way_out(*error) : "");
}

}  // namespace clara::libvirt
