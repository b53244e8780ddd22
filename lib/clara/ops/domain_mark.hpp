// Which libvirt domains are ours: those with our element in their <metadata>. Who writes it: ops/domain_xml.
//   <metadata><clara:guest xmlns:clara='https://clara.control/guest/1' name='bpm01'
//   pool='/var/lib/clara'/></metadata>
#pragma once
#include <optional>
#include <string>

namespace clara {

inline constexpr const char* domain_mark_uri = "https://clara.control/guest/1";
inline constexpr const char* domain_mark_prefix = "clara";
inline constexpr const char* domain_mark_element = "guest";

/// What a domain's XML says of itself, as far as it matters who owns it.
struct DomainIdentity {
    std::string name;  ///< the domain's, e.g. bpm01
    std::string uuid;  ///< empty where the XML has none
    /// Guest and pool of our element, nullopt where there is none.
    struct Mark {
        std::string name, pool;
    };
    std::optional<Mark> mark;
};

/// Entities are not expanded and nothing is fetched. Error{usage} where it is no domain's XML.
DomainIdentity read_domain_identity(const std::string& xml);

/// Empty where the domain is the guest of its own name in `pool`; else e.g. "is a guest of another pool".
/// virt-clone copies our element as it is: a domain with the mark of another guest is a stranger.
std::string why_foreign_domain(const DomainIdentity& domain, const std::string& pool);

}  // namespace clara
