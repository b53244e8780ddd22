// The state of backups in a line, as Nagios, Icinga and others take it (monitoring-plugins' development
// guidelines).
#pragma once
#include <string>
#include <vector>

#include "clara/ops/backup_status.hpp"

namespace clara {

/// Exit status of what could not be looked at; 0, 1 and 2 are BackupStatus::Level.
inline constexpr int nagios_unknown = 3;

const char* nagios_word(BackupStatus::Level level);  ///< OK, WARNING, CRITICAL
BackupStatus::Level worst_of(const std::vector<BackupStatus>& all);

/// "BACKUP WARNING - bpm01: 1d 14h old | age_bpm01=136800s;129600;259200 guests=1 late=1 gone=0". The worst
/// come first, a few of them; an age that nobody knows is U.
std::string nagios_line(const std::vector<BackupStatus>& all);
/// "BACKUP UNKNOWN - ..."
std::string nagios_line(const std::string& trouble);

}  // namespace clara
