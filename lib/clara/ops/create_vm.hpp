// What a create of a virtual machine has of its own: part of ops/create.
#pragma once
#include "clara/base/clock.hpp"
#include "clara/ops/facts.hpp"
#include "clara/plan/action.hpp"
#include "clara/spec/site.hpp"

namespace clara {

/// Error{refused}: libvirt does not answer, a further network has no bridge, a MAC is somebody else's.
void check_vm(const GuestSpec& spec, const Site& site, const Facts& facts);
/// UUID and the MACs of further cards, where the template does not give them.
void choose_identity(GuestSpec& spec, const Facts& facts, const Random& random);
DefineGuest vm_definition(const GuestSpec& spec, const Site& site, const Facts& facts);

/// libvirt starts it with the host, by itself. Not where it has a place in an order or a pause after it, of
/// which libvirt knows nothing: then clara-autostart.service does.
bool libvirt_starts(const GuestSpec& spec);

/// A random UUID (RFC 4122, version 4).
std::string random_uuid(const Random& random);

}  // namespace clara
