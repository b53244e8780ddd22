// clara-backup files list, as a table or JSON.
#pragma once
#include <string>

#include "clara/cli/app.hpp"
#include "clara/drivers/points/files.hpp"

namespace clara {

int show_files(const points::FilesChoice& choice, const std::string& path, bool recursive,
               const CommonFlags& flags);
/// All disks of the point, with their partitions and file systems.
int show_disks(const points::FilesChoice& choice, const CommonFlags& flags);

}  // namespace clara
