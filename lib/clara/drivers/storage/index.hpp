// The read half: what a pool holds, fast enough for hundreds of guests.
#pragma once
#include <cstdint>
#include <map>
#include <optional>
#include <set>
#include <string>
#include <vector>

#include "clara/ops/facts.hpp"
#include "clara/spec/guest.hpp"

namespace clara {

struct PoolIndex {
    std::map<std::string, GuestFact> guests;  ///< without run state; one that cannot be read has a problem
    std::vector<BookEntry> book;
    std::set<std::string> leftovers;  ///< names an interrupted run left something of, and nobody works on
    std::uint64_t free = 0;           ///< bytes
};

/// An absent pool is an empty one. Error where the address book is damaged. `remember`: see read_guests().
PoolIndex read_pool(const std::string& pool, bool remember = true);

/// The guests alone. POOL/cache/index.json spares reading each guest.yaml: an entry holds while inode, time
/// and size of the file stay. A cache that is damaged, absent or cannot be written only costs time. It is
/// brought up to date with `remember`; a dry run leaves it as it is.
std::map<std::string, GuestFact> read_guests(const std::string& pool, bool remember = true);

/// The whole spec of one guest, nullopt where there is no such guest.
std::optional<GuestSpec> load_guest(const std::string& pool, const std::string& name);

}  // namespace clara
