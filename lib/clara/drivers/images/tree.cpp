#include "clara/drivers/images/tree.hpp"

#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cerrno>

#include "clara/base/error.hpp"
#include "clara/base/files.hpp"
#include "clara/base/in_root.hpp"
#include "clara/base/interrupt.hpp"
#include "clara/drivers/images/copy_entry.hpp"

namespace clara {
namespace {

std::string join(const std::string& folder, const std::string& name) {
    return folder.empty() ? name : folder + "/" + name;
}

}  // namespace

Tree::Tree(const std::string& path) : path_(path), root_(open_dir(path)) {}

Fd Tree::open(const std::string& path, int flags) const {
    return open_in_root(root_.get(), path, flags);
}

std::pair<Fd, std::string> Tree::parent(const std::string& path) {
    const auto slash = path.rfind('/');
    const std::string above = slash == std::string::npos ? "" : path.substr(0, slash);
    std::string leaf = slash == std::string::npos ? path : path.substr(slash + 1);
    if (leaf.empty() || leaf == "." || leaf == "..")
        throw Error(ErrorKind::usage, "'" + path + "' is no path of a file in an image");
    if (!above.empty()) folder(above);
    Fd fd = open(above, O_RDONLY | O_DIRECTORY);
    if (!fd) throw system_error("cannot open " + above + " in the image", errno);
    return {std::move(fd), std::move(leaf)};
}

bool Tree::has(const std::string& path) const {
    return static_cast<bool>(open(path, O_PATH));
}

std::string Tree::read(const std::string& path) const {
    Fd fd = open(path, O_PATH);
    if (!fd) throw system_error("cannot read " + path + " in the image", errno);
    auto text = read_file("/proc/self/fd/" + std::to_string(fd.get()), 1 << 20);
    return text.value_or("");
}

void Tree::folder(const std::string& path, mode_t mode, Owner owner) {
    if (path.empty() || path == "/") return;
    if (Fd there = open(path, O_PATH | O_DIRECTORY)) return;
    auto [dir, leaf] = parent(path);
    if (::mkdirat(dir.get(), leaf.c_str(), 0700) != 0)
        throw system_error("cannot make folder " + path, errno);
    Fd made = open_dir_at(dir.get(), leaf);
    if (::fchown(made.get(), owner.uid, owner.gid) != 0 || ::fchmod(made.get(), mode) != 0)
        throw system_error("cannot make folder " + path, errno);
}

void Tree::write(const std::string& path, std::string_view text, mode_t mode, Owner owner) {
    auto [dir, leaf] = parent(path);
    remove_tree_at(dir.get(), leaf);
    Fd file(::openat(dir.get(), leaf.c_str(), O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC | O_NOFOLLOW, 0600));
    if (!file) throw system_error("cannot write " + path, errno);
    write_all(file.get(), text);
    if (::fchown(file.get(), owner.uid, owner.gid) != 0 || ::fchmod(file.get(), mode) != 0)
        throw system_error("cannot write " + path, errno);
}

void Tree::symlink(const std::string& target, const std::string& path) {
    auto [dir, leaf] = parent(path);
    remove_tree_at(dir.get(), leaf);
    if (::symlinkat(target.c_str(), dir.get(), leaf.c_str()) != 0)
        throw system_error("cannot make link " + path, errno);
}

void Tree::take(const std::string& host, const std::string& path) {
    struct stat st {};
    if (::lstat(host.c_str(), &st) != 0) throw system_error("cannot examine " + host, errno);
    if (S_ISDIR(st.st_mode)) return folder(path, st.st_mode & 01777);
    st.st_uid = st.st_gid = 0;
    st.st_mode &= ~static_cast<mode_t>(S_ISUID | S_ISGID);
    auto [dir, leaf] = parent(path);
    remove_tree_at(dir.get(), leaf);
    copy_entry(AT_FDCWD, host, st, dir.get(), leaf);
}

void Tree::merge(const std::string& host_folder, bool move) {
    Fd from = open_dir(host_folder);
    struct stat st {};
    if (::fstat(from.get(), &st) != 0) throw system_error("cannot examine " + host_folder, errno);
    Links links;
    merge_folder(from.get(), "", move, st.st_dev, links);
}

void Tree::merge_folder(int from, const std::string& path, bool move, dev_t device, Links& links) {
    throw_if_interrupted();
    for (const auto& name : list_dir(from)) merge_entry(from, name, join(path, name), move, device, links);
    Fd to = open(path, O_RDONLY | O_DIRECTORY);  // now, as filling it changes its times
    if (!to) throw system_error("cannot open " + path + " in the image", errno);
    copy_attributes(from, to.get());
}

void Tree::merge_entry(int from, const std::string& name, const std::string& path, bool move, dev_t device,
                       Links& links) {
    struct stat st {};
    if (::fstatat(from, name.c_str(), &st, AT_SYMLINK_NOFOLLOW) != 0)
        throw system_error("cannot examine " + path, errno);
    if (S_ISBLK(st.st_mode) || S_ISCHR(st.st_mode) || S_ISSOCK(st.st_mode)) return;
    if (S_ISDIR(st.st_mode)) {
        if (Fd file = open(path, O_PATH | O_NOFOLLOW); file && !open(path, O_PATH | O_DIRECTORY)) {
            auto [dir, leaf] = parent(path);
            remove_tree_at(dir.get(), leaf);  // a file, or a link to nowhere, gives way to a folder
        }
        folder(path);
        Fd sub = open_dir_at(from, name);
        if (st.st_dev == device) merge_folder(sub.get(), path, move, device, links);
        return;
    }
    auto [dir, leaf] = parent(path);
    remove_tree_at(dir.get(), leaf);
    if (move) {
        if (::renameat(from, name.c_str(), dir.get(), leaf.c_str()) != 0)
            throw system_error("cannot move " + path + " into the image", errno);
        return;
    }
    if (st.st_nlink > 1 && S_ISREG(st.st_mode)) {
        auto [first, is_new] = links.try_emplace({st.st_dev, st.st_ino}, path);
        if (!is_new) {
            auto [there, there_leaf] = parent(first->second);
            if (::linkat(there.get(), there_leaf.c_str(), dir.get(), leaf.c_str(), 0) != 0)
                throw system_error("cannot link " + path, errno);
            return;
        }
    }
    copy_entry(from, name, st, dir.get(), leaf);
}

}  // namespace clara
