#include "clara/drivers/storage/folders.hpp"

#include <fcntl.h>
#include <linux/fs.h>

#include <cerrno>
#include <cstdio>

#include "clara/base/files.hpp"

namespace clara {
namespace {

// Less than this free and an I/O error of a sparse disk means that the pool is full.
constexpr std::uint64_t nearly_nothing = 1 << 20;

}  // namespace

bool rename_new(int dir, const std::string& from, const std::string& to) {
    if (::renameat2(dir, from.c_str(), dir, to.c_str(), RENAME_NOREPLACE) == 0) return true;
    if (errno == EEXIST) return false;
    if (errno != EINVAL) throw system_error("cannot rename " + from + " to " + to, errno);
    if (exists_at(dir, to)) return false;
    if (::renameat(dir, from.c_str(), dir, to.c_str()) == 0) return true;
    throw system_error("cannot rename " + from + " to " + to, errno);
}

void rethrow_full(const Error& e, const std::string& pool) {
    if (e.kind() != ErrorKind::failed || free_bytes(pool) >= nearly_nothing) throw;
    throw Error(ErrorKind::failed, e.message() + ": no space left in pool " + pool,
                "make room in the pool, or take another one with --pool");
}

}  // namespace clara
