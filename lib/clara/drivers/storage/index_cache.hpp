// POOL/cache/index.json: what each guest.yaml said, with the stamp of the file it was read from.
#pragma once
#include <cstdint>
#include <map>
#include <optional>
#include <string>

#include "clara/ops/facts.hpp"

namespace clara {

class IndexCache {
  public:
    struct Stamp {
        std::uint64_t inode = 0, mtime_ns = 0, size = 0;
        bool operator==(const Stamp&) const = default;
    };
    /// Of a file below `dir`; nullopt where it cannot be examined.
    static std::optional<Stamp> stamp(int dir, const std::string& path);

    explicit IndexCache(std::string folder);

    /// Null where it is not known, or known with another stamp.
    const GuestFact* find(const std::string& name, const std::optional<Stamp>& stamp) const;
    /// The next store() has this guest. One without a stamp or with a problem is not kept.
    void keep(const GuestFact& fact, const std::optional<Stamp>& stamp);
    /// Writes what was kept, where that differs from what was read.
    void store();

  private:
    struct Entry {
        Stamp stamp;
        GuestFact fact;
    };
    void load(const std::string& text);

    std::string folder_;
    std::map<std::string, Entry> known_, kept_;
    bool changed_ = false;
};

}  // namespace clara
