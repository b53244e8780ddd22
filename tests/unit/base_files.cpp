#include <sys/stat.h>

#include "catch.hpp"
#include "clara/base/files.hpp"
#include "temp_dir.hpp"

using namespace clara;

namespace {
mode_t mode_of(const std::string& path) {
    struct stat st {};
    REQUIRE(::stat(path.c_str(), &st) == 0);
    return st.st_mode & 07777;
}
}  // namespace

TEST_CASE("a folder that is one's own does not shut those above it") {
    TempDir dir;
    make_dirs(dir / "run/nbd/vm", 0700);
    CHECK(mode_of(dir / "run") == 0755);
    CHECK(mode_of(dir / "run/nbd") == 0755);
    CHECK(mode_of(dir / "run/nbd/vm") == 0700);
}
