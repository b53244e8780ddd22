#include "catch.hpp"
#include "clara/base/direct_io.hpp"
#include "clara/base/files.hpp"
#include "temp_dir.hpp"

using namespace clara;

TEST_CASE("file systems that refuse direct I/O are told from others") {
    TempDir dir;
    CHECK(takes_direct_io(dir.path()));
    CHECK(list_dir(dir.path()).empty());  // nothing is left behind
    CHECK_FALSE(takes_direct_io("/proc"));
    CHECK(takes_direct_io(dir / "absent"));
}
