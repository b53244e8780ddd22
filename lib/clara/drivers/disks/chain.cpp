#include "clara/drivers/disks/chain.hpp"

#include <fmt/ranges.h>
#include <sys/stat.h>

#include <cerrno>
#include <filesystem>
#include <optional>
#include <set>
#include <utility>

#include "clara/base/error.hpp"
#include "clara/base/files.hpp"
#include "clara/drivers/disks/qcow2_header.hpp"
#include "clara/drivers/storage/layout.hpp"

namespace clara {
namespace {

namespace fs = std::filesystem;
constexpr std::size_t longest_chain = 64;

using Inode = std::pair<dev_t, ino_t>;

std::optional<Inode> inode_of(const std::string& path) {
    struct stat st {};
    if (::stat(path.c_str(), &st) == 0) return Inode{st.st_dev, st.st_ino};
    if (errno == ENOENT || errno == ENOTDIR) return std::nullopt;
    throw system_error("cannot examine " + path, errno);
}

/// QEMU takes what stands before a colon for a protocol, unless a slash comes first.
bool names_protocol(const std::string& name) {
    auto colon = name.find(':');
    return colon != std::string::npos && colon < name.find('/');
}

/// Where the header's name leads to, nullopt at the chain's end.
std::optional<ChainLink> next_link(const ChainLink& link) {
    if (link.format != "qcow2") return std::nullopt;
    const Qcow2Header header = read_qcow2_header(link.path);
    if (header.backing.empty()) return std::nullopt;
    if (names_protocol(header.backing))
        throw Error(ErrorKind::refused,
                    fmt::format("{} stands on '{}', which is not a plain file", link.path, header.backing));
    if (header.backing_format != "qcow2" && header.backing_format != "raw")
        throw Error(
            ErrorKind::refused,
            fmt::format("{} does not say of which format its backing file {} is{}", link.path, header.backing,
                        header.backing_format.empty() ? "" : " in a way we take: " + header.backing_format),
            fmt::format("qemu-img rebase -u -b '{}' -F qcow2|raw {}", header.backing, link.path));
    const fs::path path = fs::path(link.path).parent_path() / header.backing;
    return ChainLink{path.lexically_normal().string(), header.backing_format};
}

bool stands_on(const std::string& path, const Inode& wanted) {
    std::optional<ChainLink> link = ChainLink{path, "qcow2"};
    for (std::size_t length = 0; length < longest_chain; ++length) {
        link = next_link(*link);
        if (!link) return false;
        auto inode = inode_of(link->path);
        if (!inode) return false;  // its own start will say that a file is gone
        if (*inode == wanted) return true;
    }
    throw Error(ErrorKind::failed, path + ": its chain of backing files has no end");
}

/// "bpm01" for bpm01 and for .bpm01.partial; empty for what is being removed.
std::string guest_of(const std::string& folder) {
    if (folder[0] != '.') return folder;
    constexpr std::string_view suffix = ".partial";
    if (!folder.ends_with(suffix)) return {};
    return folder.substr(1, folder.size() - 1 - suffix.size());
}

}  // namespace

std::vector<ChainLink> disk_chain(const std::string& file, const std::string& format) {
    std::vector<ChainLink> chain{{fs::absolute(file).lexically_normal().string(), format}};
    std::set<Inode> seen;
    for (;;) {
        auto inode = inode_of(chain.back().path);
        if (!inode && chain.size() == 1) throw Error(ErrorKind::failed, file + " is not there");
        if (!inode)
            throw Error(ErrorKind::failed,
                        fmt::format("{}: its backing file {} is gone", chain[chain.size() - 2].path,
                                    chain.back().path),
                        "bring the file back, e.g. from a backup");
        if (!seen.insert(*inode).second)
            throw Error(ErrorKind::refused, file + ": its chain of backing files is a circle");
        if (chain.size() > longest_chain)
            throw Error(ErrorKind::refused,
                        fmt::format("{} stands on more than {} files", file, longest_chain));
        auto next = next_link(chain.back());
        if (!next) return chain;
        chain.push_back(std::move(*next));
    }
}

void refuse_outside(const std::vector<ChainLink>& chain, const std::string& folder) {
    const fs::path home = fs::canonical(folder);
    for (const auto& link : chain) {
        const fs::path path = fs::canonical(link.path);
        const auto [end, at] = std::mismatch(home.begin(), home.end(), path.begin(), path.end());
        if (end != home.end())
            throw Error(
                ErrorKind::refused,
                fmt::format("{} stands on {}, outside {}", chain.front().path, path.string(), home.string()),
                "copy both into one folder and link them there, or flatten it: qemu-img convert");
    }
}

std::vector<std::string> users_of(const std::string& pool, const std::string& file) {
    const auto wanted = inode_of(file);
    if (!wanted) throw Error(ErrorKind::failed, file + " is not there");
    std::set<std::string> users;
    if (!exists(pool::guests(pool))) return {};
    Fd guests = open_dir(pool::guests(pool));
    for (const auto& folder : list_dir(guests.get())) {
        const std::string name = guest_of(folder);
        if (name.empty() || users.count(name)) continue;
        try {
            Fd dir = open_dir_at(guests.get(), folder);
            for (const auto& disk : list_dir(dir.get()))
                if (disk.ends_with(".qcow2") && stands_on(pool::guest(pool, folder) + "/" + disk, *wanted))
                    users.insert(name);
        } catch (Error& e) {
            if (!exists_at(guests.get(), folder)) continue;  // removed or renamed meanwhile
            throw Error(ErrorKind::failed,
                        fmt::format("cannot tell whether {} stands on {}: {}", name, file, e.message()),
                        e.hint());
        }
    }
    return {users.begin(), users.end()};
}

void refuse_used_disk(const std::string& pool, const std::string& file) {
    const auto users = users_of(pool, file);
    if (users.empty()) return;
    throw Error(
        ErrorKind::refused,
        fmt::format("{} is what {} stand{} on", file, fmt::join(users, ", "), users.size() == 1 ? "s" : ""),
        "destroy them first, or give them disks of their own");
}

}  // namespace clara
