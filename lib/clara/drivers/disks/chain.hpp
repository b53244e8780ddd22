// What a disk stands on, and who stands on a disk.
#pragma once
#include <string>
#include <vector>

namespace clara {

struct ChainLink {
    std::string path;    ///< without . and ..; symbolic links as they are
    std::string format;  ///< qcow2, raw ...
};

/// The file itself first, then its backing file, and so on. Formats are those the headers state; no file is
/// looked at to find out what it might be. Error{refused} where one is not stated, where a name is none of a
/// file (json:, nbd:), where the chain is a circle or has more than 64 links; Error{failed} where a file is
/// gone.
std::vector<ChainLink> disk_chain(const std::string& file, const std::string& format);

/// Error{refused} where a link lies outside `folder`, with symbolic links resolved: a header from outside may
/// name any file of the host.
void refuse_outside(const std::vector<ChainLink>& chain, const std::string& folder);

/// Guests of the pool, those being made too, one of whose *.qcow2 stands on `file` (a link of its chain has
/// the same inode), sorted. A guest's own file is no user of itself. Error{failed} where a header cannot be
/// read.
std::vector<std::string> users_of(const std::string& pool, const std::string& file);

/// Error{refused} that names the guests which stand on the file.
void refuse_used_disk(const std::string& pool, const std::string& file);

}  // namespace clara
