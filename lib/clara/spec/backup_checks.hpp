// Rules of `backup:` that the tables of keys cannot tell.
#pragma once
#include "clara/spec/keep.hpp"
#include "clara/spec/site.hpp"
#include "clara/spec/yaml.hpp"

namespace clara {

/// Of a template or guest.yaml; `tree` is the whole file.
void check_backup(const GuestBackup& backup, const Yaml& tree, Problems& problems);
/// Of site.yaml.
void check_backup(const Site& site, const Yaml& tree, Problems& problems);

}  // namespace clara
