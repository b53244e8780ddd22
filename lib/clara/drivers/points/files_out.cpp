#include "clara/drivers/points/files_out.hpp"

#include <fcntl.h>
#include <fmt/format.h>

#include <cerrno>
#include <climits>
#include <map>
#include <set>

#include "clara/base/error.hpp"
#include "clara/base/files.hpp"
#include "clara/base/in_root.hpp"
#include "clara/base/interrupt.hpp"
#include "clara/base/log.hpp"
#include "clara/drivers/images/copy_entry.hpp"
#include "clara/drivers/storage/folders.hpp"

namespace clara::points {
namespace {

constexpr int deepest = 200;  // folders in each other: each is open, here and there, meanwhile

void check_depth(int depth, const std::string& path) {
    if (depth > deepest)
        throw Error(ErrorKind::failed,
                    fmt::format("more than {} folders are in each other: {}", deepest, path));
}

struct stat examine(int dir, const std::string& name, const std::string& path) {
    struct stat info {};
    if (::fstatat(dir, name.c_str(), &info, AT_SYMLINK_NOFOLLOW | (name.empty() ? AT_EMPTY_PATH : 0)) != 0)
        throw system_error("cannot examine " + path, errno);
    return info;
}

/// Without following a link at its end; a path that ends with / does.
Fd find(int root, const std::string& path) {
    Fd found = open_in_root(root, path, O_PATH | (path.ends_with('/') ? 0 : O_NOFOLLOW));
    if (!found && (errno == ENOENT || errno == ENOTDIR))
        throw Error(ErrorKind::usage, "there is no " + path + " in it",
                    "clara-backup files list shows what there is");
    if (!found) throw system_error("cannot open " + path, errno);
    return found;
}

Fd open_found(const Fd& found, const std::string& path) {
    Fd folder(::openat(found.get(), ".", O_RDONLY | O_DIRECTORY | O_CLOEXEC));
    if (!folder) throw system_error("cannot open " + path, errno);
    return folder;
}

InnerFile entry(int dir, const std::string& name, const std::string& path) {
    InnerFile file{path, examine(dir, name, path), {}};
    char target[PATH_MAX];
    if (S_ISLNK(file.info.st_mode))
        if (const ssize_t size = ::readlinkat(dir, name.c_str(), target, sizeof target); size > 0)
            file.link.assign(target, static_cast<std::size_t>(size));
    return file;
}

void list_folder(const Fd& folder, const std::string& prefix, bool recursive, int depth,
                 const std::function<void(const InnerFile&)>& each) {
    check_depth(depth, prefix);
    for (const auto& name : list_dir(folder.get())) {
        throw_if_interrupted();
        const InnerFile file = entry(folder.get(), name, prefix + name);
        each(file);
        if (recursive && S_ISDIR(file.info.st_mode))
            list_folder(open_dir_at(folder.get(), name), prefix + name + "/", true, depth + 1, each);
    }
}

/// One file or folder, with all in it, as TO/NAME.
class CopyOut {
  public:
    CopyOut(int to, const std::string& name, CopiedOut& counts) : to_(to), counts_(counts), top_(name) {}

    void copy(int from, const std::string& name) { copy(from, name, to_, top_, top_, 0); }

  private:
    void copy(int from, const std::string& name, int to, const std::string& new_name, const std::string& path,
              int depth) {
        throw_if_interrupted();
        const struct stat info = examine(from, name, name);
        if (S_ISDIR(info.st_mode)) return copy_folder(from, name, to, new_name, path, depth);
        if (S_ISBLK(info.st_mode) || S_ISCHR(info.st_mode) || S_ISSOCK(info.st_mode)) {
            ++counts_.left_out;
            return;
        }
        ++counts_.files;
        if (S_ISREG(info.st_mode)) {
            if (info.st_mode & (S_ISUID | S_ISGID)) ++counts_.set_id;
            if (info.st_nlink > 1 && linked(info, to, new_name, path)) return;
            counts_.bytes += static_cast<std::uint64_t>(info.st_size);
        }
        copy_entry(from, name, info, to, new_name);
    }

    void copy_folder(int from, const std::string& name, int to, const std::string& new_name,
                     const std::string& path, int depth) {
        check_depth(depth, path);
        if (::mkdirat(to, new_name.c_str(), 0700) != 0)
            throw system_error("cannot make folder " + new_name, errno);
        ++counts_.folders;
        const Fd source = open_dir_at(from, name), target = open_dir_at(to, new_name);
        for (const auto& one : list_dir(source.get()))
            copy(source.get(), one, target.get(), one, path + "/" + one, depth + 1);
        copy_attributes(source.get(), target.get());  // now, as filling it changes its times
    }

    /// A further name of a file that was copied before.
    bool linked(const struct stat& info, int to, const std::string& new_name, const std::string& path) {
        const auto [first, is_new] = copied_.try_emplace({info.st_dev, info.st_ino}, path);
        return !is_new && ::linkat(to_, first->second.c_str(), to, new_name.c_str(), 0) == 0;
    }

    int to_;
    CopiedOut& counts_;
    std::string top_;
    std::map<std::pair<dev_t, ino_t>, std::string> copied_;  ///< below to_
};

struct Wanted {
    std::string name;  ///< in its folder and in the target
    Fd folder;
};

/// The folder that holds it, links on the way followed inside.
Wanted wanted(int root, std::string path) {
    while (path.size() > 1 && path.ends_with('/')) path.pop_back();
    const auto slash = path.rfind('/');
    const std::string above = slash == std::string::npos ? "" : path.substr(0, slash + 1);
    Wanted one{slash == std::string::npos ? path : path.substr(slash + 1), {}};
    if (one.name.empty() || one.name == "." || one.name == "..")
        throw Error(ErrorKind::usage, "'" + path + "' ends with no name");
    find(root, path);
    one.folder = open_found(find(root, above.empty() ? "/" : above), above);
    return one;
}

std::vector<Wanted> all_wanted(int root, const std::vector<std::string>& paths) {
    std::vector<Wanted> all;
    for (const auto& path : paths) {
        if (path.empty()) throw Error(ErrorKind::usage, "an empty PATH is none");
        if (path.find_first_not_of('/') != std::string::npos) {
            all.push_back(wanted(root, path));
            continue;
        }
        for (const auto& name : list_dir(open_found(find(root, "/"), "/").get()))
            all.push_back(wanted(root, "/" + name));
    }
    return all;
}

void check_free(const std::vector<Wanted>& all, int to, const std::string& folder) {
    std::set<std::string> names;
    for (const auto& one : all) {
        if (!names.insert(one.name).second)
            throw Error(ErrorKind::usage, "two of these would become " + folder + "/" + one.name,
                        "extract them into different folders");
        if (exists_at(to, one.name))
            throw Error(ErrorKind::refused, folder + "/" + one.name + " is there already",
                        "nothing is overwritten: choose another folder");
    }
}

}  // namespace

void list_files(int root, const std::string& path, bool recursive,
                const std::function<void(const InnerFile&)>& each) {
    const Fd found = find(root, path);
    if (!S_ISDIR(examine(found.get(), "", path).st_mode)) return each(entry(found.get(), "", path));
    list_folder(open_found(found, path), "", recursive, 0, each);
}

CopiedOut copy_out(int root, const std::vector<std::string>& paths, const std::string& folder) {
    const Fd to = open_dir(folder);
    const auto all = all_wanted(root, paths);
    check_free(all, to.get(), folder);
    const std::string partial = fmt::format(".clara-{}.partial", ::getpid());
    CopiedOut counts;
    for (const auto& one : all) try {
            log::status("copying " + one.name);
            CopyOut(to.get(), partial, counts).copy(one.folder.get(), one.name);
            if (exists_at(to.get(), partial) && !rename_new(to.get(), partial, one.name))
                throw Error(ErrorKind::refused, folder + "/" + one.name + " is there by now");
        } catch (Error& e) {
            log::status("");
            remove_tree_at(to.get(), partial);
            throw e.in("copying " + one.name);
        }
    log::status("");
    return counts;
}

}  // namespace clara::points
