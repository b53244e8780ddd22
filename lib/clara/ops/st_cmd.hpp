// The IOC's start: st.cmd from db files, and the program that procServ runs. Pure.
#pragma once
#include <string>
#include <vector>

#include "clara/spec/guest.hpp"

namespace clara {

/// Copies of the db files in /opt/ioc/db; every host file once, equal names told apart ("2-magnets.db").
struct PlacedDb {
    std::string source;  ///< on the host
    std::string name;    ///< below /opt/ioc/db
};
std::vector<PlacedDb> place_db(const Ioc& ioc);

/// iocsh lines up to after iocInit. Error{usage} where a macro holds a line break or both kinds of quotes.
std::string render_st_cmd(const Ioc& ioc);

/// procServ wants one executable file: a shell script that execs the IOC in its folder.
std::string render_run(const Ioc& ioc);

/// 'text' as one word of a POSIX shell.
std::string shell_quote(const std::string& text);

}  // namespace clara
