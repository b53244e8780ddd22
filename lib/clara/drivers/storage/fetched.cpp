#include "clara/drivers/storage/fetched.hpp"

#include <fcntl.h>
#include <fmt/format.h>
#include <linux/fs.h>
#include <sys/ioctl.h>
#include <sys/stat.h>

#include <cerrno>
#include <nlohmann/json.hpp>

#include "clara/base/error.hpp"
#include "clara/base/files.hpp"
#include "clara/base/log.hpp"
#include "clara/base/units.hpp"
#include "clara/drivers/disks/remote.hpp"
#include "clara/drivers/storage/layout.hpp"

namespace clara::fetched {
namespace {

using nlohmann::json;

constexpr std::size_t longest_note = 4096;

std::string note_name(const std::string& name) {
    return name + ".json";
}

Fd open_incoming(const std::string& pool) {
    make_dirs(pool::incoming(pool), 0700);  // what comes was root's alone where it was
    return open_dir(pool::incoming(pool));
}

void write_note(int folder, const std::string& name, const Fact& fact) {
    const json tree{{"source", fact.source}, {"changed", fact.changed}};
    write_file_at(folder, note_name(name), tree.dump() + "\n", 0600);
}

std::optional<Fact> read_note(int folder, const std::string& name) {
    auto text = read_file_at(folder, note_name(name), longest_note);
    if (!text) return std::nullopt;
    const json tree = json::parse(*text, nullptr, false);
    Fact fact;
    if (tree.is_object() && tree.contains("source") && tree["source"].is_string())
        fact.source = tree["source"].get<std::string>();
    fact.changed = tree.is_object() && tree.contains("changed") && tree["changed"] == true;
    fact.whole = exists_at(folder, name + ".qcow2");
    return fact;
}

std::string progress_text(const RemoteDisk& disk, std::uint64_t done, std::uint64_t size) {
    return fmt::format("reading {}: {} of {}, {} %", disk.str(), size_text(done), size_text(size),
                       done * 100 / size);
}

bool same_file(const struct stat& a, const struct stat& b) {
    return a.st_dev == b.st_dev && a.st_ino == b.st_ino;
}

}  // namespace

std::optional<Fact> read(const std::string& pool, const std::string& name) {
    if (!exists(pool::incoming(pool))) return std::nullopt;
    return read_note(open_dir(pool::incoming(pool)).get(), name);
}

void fetch(const FetchDisk& a) {
    const RemoteDisk disk = parse_remote_disk(a.url);
    Fd folder = open_incoming(a.pool);
    if (auto there = read_note(folder.get(), a.name)) {
        const bool begun = there->whole || exists_at(folder.get(), "." + a.name + ".qcow2.partial");
        if (begun && there->source != disk.str())
            throw Error(
                ErrorKind::refused,
                fmt::format("what was fetched for {} is of {}, not of {}", a.name, there->source, disk.str()),
                "remove it with clara-vm-clone --forget, or choose another name");
        if (there->whole) return;
    }
    write_note(folder.get(), a.name, {disk.str()});
    RemoteOptions options{.rate = a.rate};
    options.progress = [&](std::uint64_t done, std::uint64_t size) {
        log::status(progress_text(disk, done, size));
    };
    read_remote_disk(disk, pool::fetched(a.pool, a.name), options);
}

void give(const std::string& pool, const std::string& name, int folder, const std::string& file) {
    const std::string path = pool::fetched(pool, name);
    Fd from(::open(path.c_str(), O_RDONLY | O_NOFOLLOW | O_CLOEXEC));
    if (!from) throw system_error("cannot open " + path, errno);
    Fd to(::openat(folder, file.c_str(), O_RDWR | O_CREAT | O_EXCL | O_NOFOLLOW | O_CLOEXEC, 0600));
    if (!to) throw system_error("cannot make " + file, errno);
    if (::ioctl(to.get(), FICLONE, from.get()) == 0) return;
    // A second name costs no room either; then both are one file.
    if (::unlinkat(folder, file.c_str(), 0) != 0 || ::fchmod(from.get(), 0600) != 0 ||
        ::linkat(AT_FDCWD, path.c_str(), folder, file.c_str(), 0) != 0)
        throw system_error("cannot give " + path + " a second name", errno);
}

void note_change(const std::string& pool, const std::string& name, const std::string& disk) {
    struct stat mine {
    }, theirs{};
    const std::string path = pool::fetched(pool, name);
    if (::stat(path.c_str(), &theirs) != 0) {
        if (errno == ENOENT || errno == ENOTDIR) return;
        throw system_error("cannot examine " + path, errno);
    }
    if (::stat(disk.c_str(), &mine) != 0) throw system_error("cannot examine " + disk, errno);
    if (!same_file(mine, theirs)) return;
    Fd folder = open_incoming(pool);
    Fact fact = read_note(folder.get(), name).value_or(Fact{});
    fact.changed = true;
    write_note(folder.get(), name, fact);
}

void drop(const std::string& pool, const std::string& name) {
    if (!exists(pool::incoming(pool))) return;
    Fd folder = open_dir(pool::incoming(pool));
    const std::string file = name + ".qcow2", partial = "." + file + ".partial";
    // The note last: a drop that was cut is seen, and finished by the next one.
    for (const auto& entry : {file, partial + ".json", partial, note_name(name)})
        if (::unlinkat(folder.get(), entry.c_str(), 0) != 0 && errno != ENOENT)
            throw system_error("cannot remove " + entry, errno);
}

}  // namespace clara::fetched
