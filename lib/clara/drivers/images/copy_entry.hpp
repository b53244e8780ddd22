#pragma once
#include <sys/stat.h>

#include <string>

namespace clara {

/// Copies one file, symbolic link or FIFO with times, and with owner and mode as `st` says (which the caller
/// may have changed). The target must not exist. Neither name is followed where it is a symbolic link.
void copy_entry(int from, const std::string& name, const struct stat& st, int to,
                const std::string& new_name);

/// Owner, mode, times and extended attributes of one open file or folder to another.
void copy_attributes(int from, int to);

}  // namespace clara
