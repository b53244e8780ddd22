// Names of the records and aliases that EPICS database files define ("EPICS Application Developer's
// Guide", "Database Definition"). Everything else in them is passed over.
#pragma once
#include <map>
#include <string>
#include <vector>

#include "clara/spec/guest.hpp"

namespace clara {

struct DbNames {
    std::vector<std::string> pvs;        ///< in the order of definition, each once
    std::vector<std::string> not_found;  ///< files that are included and not on this host
};

/// The names of one file; `include`d ones are looked for beside it. Error{usage} with file and line: it
/// cannot be read, a macro of a name has no value, or the file is beyond the bounds (16 MiB a file, 64
/// files, 100,000 names).
DbNames db_names(const std::string& file, const std::map<std::string, std::string>& macros);
/// The same of all files of an IOC.
DbNames db_names(const std::vector<DbFile>& files);
/// The PVs that an IOC's db files define, as far as this host has the files; the others are told with
/// --verbose.
std::vector<std::string> record_names(const Ioc& ioc);

}  // namespace clara
