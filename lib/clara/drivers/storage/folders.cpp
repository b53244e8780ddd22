#include "clara/drivers/storage/folders.hpp"

#include <fcntl.h>
#include <linux/fs.h>
#include <sys/stat.h>

#include <cerrno>
#include <cstdio>
#include <cstdlib>

#include "clara/base/files.hpp"
#include "clara/base/log.hpp"
#include "clara/drivers/storage/layout.hpp"

namespace clara {
namespace {

// Less than this free and an I/O error of a sparse disk means that the pool is full.
constexpr std::uint64_t nearly_nothing = 1 << 20;

bool is_full(const std::string& pool) {
    try {
        return free_bytes(pool) < nearly_nothing;
    } catch (const Error&) {  // it is gone
        return false;
    }
}

}  // namespace

bool rename_new(int dir, const std::string& from, const std::string& to) {
    if (::renameat2(dir, from.c_str(), dir, to.c_str(), RENAME_NOREPLACE) == 0) return true;
    if (errno == EEXIST) return false;
    if (errno != EINVAL) throw system_error("cannot rename " + from + " to " + to, errno);
    if (exists_at(dir, to)) return false;
    if (::renameat(dir, from.c_str(), dir, to.c_str()) == 0) return true;
    throw system_error("cannot rename " + from + " to " + to, errno);
}

bool exchange(int dir, const std::string& one, const std::string& other) {
    if (std::getenv("CLARA_TEST_NO_EXCHANGE")) return false;
    if (::renameat2(dir, one.c_str(), dir, other.c_str(), RENAME_EXCHANGE) == 0) return true;
    if (errno == EINVAL || errno == ENOSYS || errno == EOPNOTSUPP) return false;
    throw system_error("cannot put " + one + " in the place of " + other, errno);
}

Error exists_already(const std::string& guest) {
    return {ErrorKind::refused, "there is a guest " + guest + " already",
            "choose another name, or clara-destroy it"};
}

void make_partial(int guests, const std::string& name) {
    if (exists_at(guests, name)) throw exists_already(name);
    const std::string partial = pool::partial(name);
    if (::mkdirat(guests, partial.c_str(), 0755) == 0) return;
    if (errno == EEXIST) throw StaleFacts("an interrupted create left " + partial + " in the way");
    throw system_error("cannot make " + partial, errno);
}

void try_remove_tree(int dir, const std::string& name) {
    try {
        remove_tree_at(dir, name);
    } catch (const Error& e) {
        log::debug("{}", e.message());
    }
}

void rethrow_full(const Error& e, const std::string& pool) {
    if (e.kind() != ErrorKind::failed || !is_full(pool)) throw;
    throw Error(ErrorKind::failed, e.message() + ": no space left in pool " + pool,
                "make room in the pool, or take another one with --pool");
}

}  // namespace clara
