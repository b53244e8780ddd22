// What the parts of LibvirtDriver have in common. Private to this folder.
#pragma once
#include <optional>
#include <string>

#include "clara/drivers/libvirt/hypervisor.hpp"

namespace clara {

inline bool runs(const std::optional<DomainState>& domain) {
    return domain && domain->run != DomainState::Run::off;
}

/// Error{refused} where the domain is not ours. With the pool: where it is not of that pool either.
void refuse_foreign(Hypervisor& host, const std::string& name, const std::string* pool);

}  // namespace clara
