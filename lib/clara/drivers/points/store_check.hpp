// Is the store there, is it the one of last time, and can it be written to? Asked before anything is touched.
#pragma once
#include <chrono>
#include <string>

#include "clara/spec/site.hpp"

namespace clara::points {

struct StoreCheck {
    bool mounted = false;       ///< it has to be a mount point
    std::string remembered_in;  ///< pool whose backups it has: knows the store's id; empty: is not asked
    bool accept_other = false;  ///< the store of last time is gone for good, this one takes its place
    bool writes = true;         ///< it is to be written to
};

/// Is it there? Error{unreachable} where it hangs for longer than that or is stale.
bool store_answers(const std::string& store, std::chrono::milliseconds patience);

/// Error{refused} where it is absent, not mounted, read-only, or another one than last time: a local folder
/// in the place of an export. Nothing is made.
void check_store(const std::string& store, const StoreCheck& check);

/// STORE/backups with its id, made where they are missing. After check_store().
void open_store(const std::string& store);
/// That pool knows the store's id from now on.
void remember_store(const std::string& store, const std::string& remembered_in);

}  // namespace clara::points
