#pragma once
#include <optional>
#include <string>

namespace clara {

/// qcow2, vmdk or vdi where the file begins as one; nullopt for everything else. Raw data has no beginning of
/// its own: it is never told apart from a tar file, nor looked into for another format.
std::optional<std::string> format_by_magic(const std::string& path);

/// Copies a foreign disk, which inspect_foreign() has passed, into the new qcow2 `target`.
void import_disk(const std::string& path, const std::string& format, const std::string& target);

}  // namespace clara
