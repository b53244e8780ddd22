// The guest's own /etc/passwd, /etc/group and /etc/shadow; read here because a static program has no NSS.
#pragma once
#include <sys/types.h>

#include <string>
#include <vector>

#include "config.hpp"

namespace guest {

struct Account {
    uid_t uid = 0;
    gid_t gid = 0;
    std::string home = "/";
    std::vector<gid_t> groups;  ///< supplementary, e.g. dialout for a serial line
};

/// Adds the users that are missing and gives known ones the uid asked for. Files are changed only where
/// needed.
void ensure_users(const std::vector<User>& users);
/// Makes a missing home folder. Symbolic links in the way are left alone.
void ensure_homes(const std::vector<User>& users);

/// Throws std::runtime_error where there is no such user.
Account find_account(const std::string& name);

}  // namespace guest
