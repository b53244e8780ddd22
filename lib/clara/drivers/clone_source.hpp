// What `clara-vm-clone SOURCE` names, looked at before anything is planned.
#pragma once
#include <string>

#include "clara/ops/clone_source.hpp"
#include "clara/ops/facts.hpp"
#include "clara/spec/site.hpp"

namespace clara {

struct SourceName {
    enum class Kind { image, guest, domain, disk, remote } kind;
    std::string name;  ///< of image, guest or domain; absolute path; URL
};

/// "ssh://...", a path (with a '/'), or a name: of a guest of this pool, an image of kind kvm, or a domain,
/// where only one has it; guest:NAME, image:NAME and domain:NAME say which. Error{usage} where there is none.
SourceName find_source(const std::string& text, const Facts& facts);

/// A guest, domain or disk; `format` is what the user says of a disk file, empty: by the file's name. The
/// source is not changed. Error{usage}: no such file, or its format is not known; Error{busy}: in use by
/// somebody else; Error{refused}: damaged, or not what it is said to be.
CloneSource read_source(const SourceName& name, const std::string& format, const std::string& pool,
                        const Site& site, const Facts& facts);

/// What was read of another machine.
CloneSource fetched_source(const std::string& url, const std::string& name, const std::string& pool);

}  // namespace clara
