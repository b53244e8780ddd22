// What makes a copy of a Linux server a server of its own: its names, keys and addresses, in the files that
// its system reads them from. Pure: files are read through a GuestTree, changes come back as data.
#pragma once
#include <sys/types.h>

#include <optional>
#include <string>
#include <vector>

#include "clara/ops/guest_tree.hpp"
#include "clara/ops/volumes.hpp"
#include "clara/spec/identity.hpp"

namespace clara {

struct FileChange {
    enum class What {
        write,     ///< `text` is the content
        remove,    ///< a file, or a folder with all in it
        link,      ///< a symbolic link to `text`
        host_key,  ///< a new ssh host key of type `text` (rsa, ecdsa, ed25519), and PATH.pub
    } what = What::write;
    std::string path;
    std::string text;
    mode_t mode = 0644;  ///< of a new file; one that is there keeps mode and owner
};

struct IdentityPlan {
    std::vector<FileChange> changes;    ///< at most one a path
    std::vector<std::string> warnings;  ///< what was left alone, and what that may lead to

    void write(const std::string& path, std::string text, mode_t mode = 0644);
    void remove(const std::string& path) { changes.push_back({FileChange::What::remove, path, {}}); }
    /// Of a file, as it is or will be.
    std::optional<std::string> text(const GuestTree& tree, const std::string& path) const;
    void warn(std::string text) { warnings.push_back(std::move(text)); }
};

/// Every change needed. Configuration in a form that is not known is left alone, with a warning. Partitions
/// of `volumes`, which are those of the disk that the tree is on, are called by their UUIDs from then on.
IdentityPlan plan_identity(const GuestTree& tree, const Identity& identity,
                           const std::vector<Volume>& volumes);

/// For people and golden files: each change with its text, then the warnings.
std::string print(const IdentityPlan& plan);

}  // namespace clara
