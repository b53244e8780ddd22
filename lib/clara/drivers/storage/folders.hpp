// What the parts of a pool in folders have in common.
#pragma once
#include <string>

#include "clara/base/error.hpp"

namespace clara {

/// Renames within the folder; false where the new name is taken. The caller holds a lock: NFS knows no
/// RENAME_NOREPLACE, so there it is a look and a rename.
bool rename_new(int dir, const std::string& from, const std::string& to);

/// Two entries of the folder take each other's name in one step; false, and nothing is done, where the file
/// system cannot (NFS, most of FUSE). The test hook CLARA_TEST_NO_EXCHANGE: as on one that cannot.
bool exchange(int dir, const std::string& one, const std::string& other);

Error exists_already(const std::string& guest);

/// Makes .NAME.partial in the folder of guests. Error{refused} where the guest exists, StaleFacts where an
/// interrupted run has left one.
void make_partial(int guests, const std::string& name);

/// To be called in a handler, whose error is the one to be told: what cannot be removed is left to the next
/// run.
void try_remove_tree(int dir, const std::string& name);

/// To be called in a handler: throws on, and where the pool is full, says so. The kernel reports a full pool
/// below a sparse disk as an I/O error.
[[noreturn]] void rethrow_full(const Error& e, const std::string& pool);

}  // namespace clara
