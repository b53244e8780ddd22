// clara-backup files: what is inside a restore point.
#pragma once
#include <optional>
#include <string>
#include <vector>

#include "clara/cli/backup_flow.hpp"

namespace clara {

struct FilesRun {
    std::string verb;  ///< list | extract | mount | umount
    std::string guest, point, disk, folder;
    std::vector<std::string> paths;
    int partition = 0;  ///< 0: the guest's root
    bool recursive = false, disks = false;
    StoreChoice store;
};

/// Gives `files` its commands.
void add_files(CLI::App& files, FilesRun& run);
int look_at_files(const FilesRun& run, const CommonFlags& flags);

}  // namespace clara
