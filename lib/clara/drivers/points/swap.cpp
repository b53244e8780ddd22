// A guest's folder gives way to a restored one.
#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <unistd.h>

#include <cerrno>
#include <cstdlib>
#include <string_view>
#include <vector>

#include "clara/base/error.hpp"
#include "clara/base/files.hpp"
#include "clara/drivers/points/restored.hpp"
#include "clara/drivers/storage/folders.hpp"
#include "clara/drivers/storage/guest_folder.hpp"
#include "clara/drivers/storage/layout.hpp"

namespace clara::points {
namespace {

constexpr const char* mark = "gives-way";  // in the folder of the guest whose place is taken

/// The test hook: CLARA_TEST_SWAP=1 ends us before the first rename, 2 between the two, 3 before the files
/// that come along.
void stop_for_test(char step) {
    const char* hook = std::getenv("CLARA_TEST_SWAP");
    if (hook && hook[0] == step) ::raise(SIGKILL);
}

std::vector<Fd> claim(int guests, const std::string& name) try {
    return claim_disks(open_dir_at(guests, name).get());
} catch (Error& e) {
    throw e.in("guest " + name + " runs");
}

void rename_or_throw(int guests, const std::string& from, const std::string& to) {
    if (::renameat(guests, from.c_str(), guests, to.c_str()) != 0)
        throw system_error("cannot rename " + from + " to " + to, errno);
}

void set_mark(int guests, const std::string& name) {
    write_file_at(open_dir_at(guests, name).get(), mark, "a restored copy takes its place\n");
}

void drop_mark(int guests, const std::string& name) {
    const Fd folder = open_dir_at(guests, name);
    if (::unlinkat(folder.get(), mark, 0) != 0 && errno != ENOENT)
        throw system_error(std::string("cannot remove ") + mark, errno);
    fsync_or_throw(folder.get(), name);
}

bool marked(int guests, const std::string& name) {
    return exists_at(guests, name) && exists_at(open_dir_at(guests, name).get(), mark);
}

/// `name` steps aside as `aside`, `in` takes the name: at once, or where the file system cannot (NFS, most of
/// FUSE), one after the other.
void take_place(int guests, const std::string& name, const std::string& in, const std::string& aside) {
    stop_for_test('1');
    if (exchange(guests, in, name)) {
        stop_for_test('2');
        rename_or_throw(guests, in, aside);
    } else {
        rename_or_throw(guests, name, aside);
        stop_for_test('2');
        rename_or_throw(guests, in, name);
    }
    fsync_or_throw(guests, "the folder of guests");
}

/// What is the guest's own and in no restore point: snapshots of a container, its log of actions.
void bring_along(int guests, const std::string& from, const std::string& to) {
    stop_for_test('3');
    const Fd old_folder = open_dir_at(guests, from), new_folder = open_dir_at(guests, to);
    for (const char* name : {"snapshots", "journal"}) {
        if (!exists_at(old_folder.get(), name) || exists_at(new_folder.get(), name)) continue;
        if (std::string_view(name) == "snapshots" && !exists_at(old_folder.get(), "disk.raw"))
            continue;  // those of a virtual machine lie within its old disks
        if (::renameat(old_folder.get(), name, new_folder.get(), name) != 0)
            throw system_error(std::string("cannot bring along ") + name, errno);
    }
    fsync_or_throw(new_folder.get(), to);
}

}  // namespace

void recover(const std::string& pool, const std::string& name) {
    const Fd guests = open_dir(pool::guests(pool));
    const std::string in = pool::restored(name), aside = pool::replaced(name);
    if (!exists_at(guests.get(), name) && marked(guests.get(), aside))
        rename_or_throw(guests.get(), aside, name);  // between the two renames: taken back
    if (marked(guests.get(), in)) {                  // exchanged already: finished
        rename_or_throw(guests.get(), in, aside);
        bring_along(guests.get(), aside, name);
    }
    if (marked(guests.get(), name)) drop_mark(guests.get(), name);
    fsync_or_throw(guests.get(), "the folder of guests");
}

void swap(const SwapGuest& a) {
    const Fd guests = open_dir(pool::guests(a.pool));
    const auto disks = claim(guests.get(), a.name);
    const std::string in = pool::restored(a.name), aside = pool::replaced(a.name);
    if (exists_at(guests.get(), aside))
        throw Error(ErrorKind::refused, "an earlier restore of " + a.name + " has kept what it replaced",
                    "when nobody needs it any more: rm -r " + pool::guest(a.pool, aside));
    sync_files(open_dir_at(guests.get(), in).get());
    set_mark(guests.get(), a.name);
    take_place(guests.get(), a.name, in, aside);
    bring_along(guests.get(), aside, a.name);
}

void swap_back(const SwapGuest& a) {
    const Fd guests = open_dir(pool::guests(a.pool));
    const std::string in = pool::restored(a.name), aside = pool::replaced(a.name);
    recover(a.pool, a.name);
    if (!exists_at(guests.get(), aside)) return;
    const auto disks = claim(guests.get(), a.name);
    bring_along(guests.get(), a.name, aside);
    drop_mark(guests.get(), aside);
    set_mark(guests.get(), a.name);
    take_place(guests.get(), a.name, aside, in);
}

void drop_replaced(const DropReplaced& a) {
    const Fd guests = open_dir(pool::guests(a.pool));
    remove_tree_at(guests.get(), pool::replaced(a.name));
}

}  // namespace clara::points
