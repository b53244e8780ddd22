#include "clara/drivers/images/store.hpp"

#include <fcntl.h>
#include <stdio.h>
#include <sys/stat.h>

#include <algorithm>
#include <cerrno>
#include <optional>
#include <tuple>

#include "clara/base/error.hpp"
#include "clara/base/files.hpp"
#include "clara/drivers/disks/chain.hpp"
#include "clara/drivers/images/digest.hpp"
#include "clara/drivers/storage/layout.hpp"
#include "clara/drivers/storage/mount.hpp"
#include "clara/spec/guest.hpp"
#include "clara/spec/names.hpp"

namespace clara {
namespace {

constexpr std::chrono::seconds use_wait{30};  // others hold it for a millisecond

std::string folder_of(const std::string& pool, const std::string& id) {
    return pool + "/images/" + id;
}

std::optional<ImageInfo> read_info(const std::string& folder, const std::string& id) {
    auto text = read_file(folder + "/image.yaml", 1 << 20);
    if (!text) return std::nullopt;
    ImageInfo info = read_image_info(*text, folder + "/image.yaml");
    if (info.id() != id) return std::nullopt;
    struct stat st {};
    if (::lstat((folder + "/" + info.file()).c_str(), &st) != 0 || !S_ISREG(st.st_mode)) return std::nullopt;
    if (static_cast<std::uint64_t>(st.st_size) != info.size) return std::nullopt;
    return info;
}

std::set<std::string> users_by_disk(const std::string& pool, const std::string& disk) {
    const auto names = users_of(pool, disk);
    return {names.begin(), names.end()};
}

}  // namespace

ImageList list_images(const std::string& pool) {
    ImageList list;
    if (!exists(pool + "/images")) return list;
    for (const auto& id : list_dir(pool + "/images")) {
        if (id.front() == '.' || id.find('@') == std::string::npos) continue;
        try {
            auto info = read_info(folder_of(pool, id), id);
            if (info)
                list.images.push_back(*info);
            else
                list.broken.insert(id);
        } catch (const Error&) {  // an unreadable image.yaml is what "broken" tells
            list.broken.insert(id);
        }
    }
    std::sort(list.images.begin(), list.images.end(), [](const ImageInfo& a, const ImageInfo& b) {
        return std::tie(a.name, b.created, a.digest) < std::tie(b.name, a.created, b.digest);
    });
    return list;
}

ImageInfo find_image(const std::string& pool, const std::string& ref, const std::string& kind) {
    const auto at = ref.find('@');
    const std::string name = ref.substr(0, at);
    const std::string digits = at == std::string::npos ? "" : ref.substr(at + 1);
    if (at != std::string::npos && digits.size() < 6)
        throw Error(ErrorKind::usage, "image " + ref + ": give at least 6 digits of the digest");
    ImageList list = list_images(pool);
    std::vector<std::string> names;
    const ImageInfo* found = nullptr;
    for (const auto& image : list.images) {
        if (!kind.empty() && image.kind != kind) continue;
        names.push_back(at == std::string::npos ? image.name : image.id());
        if (image.name != name || !image.digest.starts_with(digits)) continue;
        if (found && found->kind != image.kind)
            throw Error(ErrorKind::usage,
                        "image " + ref + " is there for containers and for virtual machines",
                        "say --kind lxc or --kind kvm, or " + found->id());
        if (!found) found = &image;
    }
    if (found) return *found;
    if (list.broken.count(ref))
        throw Error(ErrorKind::failed, "image " + ref + " is broken: image.yaml and file do not fit",
                    "clara-image remove " + ref + ", then build it again");
    const std::string near = nearest(ref, names);
    const std::string form = kind.empty() ? "" : " --kind " + kind;
    throw Error(
        ErrorKind::usage, "no image " + ref + " in " + pool + (kind.empty() ? "" : " of kind " + kind),
        near.empty() ? "clara-image list shows what is there; clara-image build " + name + form + " makes it"
                     : "did you mean " + near + "?");
}

std::string verify_image(const std::string& pool, const ImageInfo& image) {
    const std::string file = folder_of(pool, image.id()) + "/" + image.file();
    Fd fd(::open(file.c_str(), O_RDONLY | O_CLOEXEC | O_NOFOLLOW));
    if (!fd) return system_error("cannot open " + file, errno).message();
    const std::string digest = sha256_file(fd.get());
    if (digest == image.digest) return "";
    return file + " has changed: its digest is " + digest.substr(0, 12) + ", not " +
           image.digest.substr(0, 12);
}

std::vector<std::string> image_users(const std::string& pool, const std::string& id) {
    std::set<std::string> users;
    if (!exists(pool + "/guests")) return {};
    for (const auto& guest : list_dir(pool + "/guests")) {
        const std::string file = pool + "/guests/" + guest + "/guest.yaml";
        auto text = read_file(file);
        if (text && read_guest(*text, file).image == id) users.insert(guest);
    }
    // A disk stands on what its header names, whatever guest.yaml says.
    if (const std::string disk = folder_of(pool, id) + "/disk.qcow2"; exists(disk))
        users.merge(users_by_disk(pool, disk));
    return {users.begin(), users.end()};
}

NamedLock lock_image(const std::string& pool, const std::string& name, std::chrono::milliseconds wait) {
    make_dirs(pool + "/locks");
    // A guest's name has no @, so this is nobody's lock but ours.
    return NamedLock::take(pool + "/locks/image@" + name, "image " + name, wait);
}

void refuse_used_image(const std::string& pool, const std::string& id) {
    std::string names;
    for (const auto& user : image_users(pool, id)) names += (names.empty() ? "" : ", ") + user;
    if (!names.empty())
        throw Error(ErrorKind::refused, "image " + id + " is used by " + names, "clara-destroy them first");
}

void remove_image(const std::string& pool, const std::string& id, const std::string& run_dir) {
    make_dirs(pool + "/locks");
    auto lock = NamedLock::take(pool::image_lock(pool, id), "removing image " + id, use_wait);
    refuse_used_image(pool, id);
    const std::string mounts = run_dir + "/images/" + id;
    if (exists(mounts)) {
        for (const auto& name : list_dir(mounts))  // clones of base and base itself: no order among them
            while (unmount(mounts + "/" + name)) {
            }
        Fd parent = open_dir(run_dir + "/images");
        remove_tree_at(parent.get(), id);
    }
    // Out of sight first: a run killed in between leaves no half image.
    Fd images = open_dir(pool + "/images");
    const std::string gone = "." + id + ".removed";
    remove_tree_at(images.get(), gone);
    if (::renameat(images.get(), id.c_str(), images.get(), gone.c_str()) != 0 || ::fsync(images.get()) != 0)
        throw system_error("cannot remove image " + id, errno);
    remove_tree_at(images.get(), gone);
}

}  // namespace clara
