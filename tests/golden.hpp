// Expected texts live in tests/golden; CLARA_ACCEPT=1 writes them anew (then read the diff before you commit
// it).
#pragma once
#include <cstdlib>
#include <string>

#include "catch.hpp"
#include "clara/base/files.hpp"
#include "source_dir.hpp"

namespace clara {

/// Compare `actual` with tests/golden/NAME, e.g. check_golden("inside/soft-ioc.txt", print(inside)).
inline void check_golden(const std::string& name, const std::string& actual) {
    const std::string path = source_dir() + "/tests/golden/" + name;
    const char* accept = std::getenv("CLARA_ACCEPT");
    if (accept && std::string(accept) == "1") {
        make_dirs(path.substr(0, path.rfind('/')));
        write_file(path, actual);
    }
    INFO("golden file " << path << " (CLARA_ACCEPT=1 rewrites it)");
    CHECK(read_file(path).value_or("(absent)") == actual);
}

}  // namespace clara
