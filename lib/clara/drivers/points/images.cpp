#include "clara/drivers/points/images.hpp"

#include <fcntl.h>
#include <sys/stat.h>

#include <cerrno>
#include <chrono>

#include "clara/base/error.hpp"
#include "clara/base/files.hpp"
#include "clara/base/stall.hpp"
#include "clara/drivers/images/partial.hpp"
#include "clara/drivers/images/store.hpp"
#include "clara/drivers/storage/folders.hpp"

namespace clara::points {
namespace {

constexpr std::chrono::seconds image_wait{30};  // for another backup that copies it just now

ImageInfo image_of(const std::string& pool, const std::string& id) {
    const ImageList list = list_images(pool);
    for (const auto& image : list.images)
        if (image.id() == id) return image;
    throw Error(ErrorKind::refused, "image " + id + " is not in pool " + pool,
                "its guests cannot be made again without it; clara-image list shows what is there");
}

void copy_file(int from, int to, const std::string& name) {
    const Fd source(::openat(from, name.c_str(), O_RDONLY | O_NOFOLLOW | O_CLOEXEC));
    if (!source) throw system_error("cannot open " + name, errno);
    const Fd target(::openat(to, name.c_str(), O_RDWR | O_CREAT | O_EXCL | O_NOFOLLOW | O_CLOEXEC, 0644));
    if (!target) throw system_error("cannot make " + name, errno);
    copy_sparse(source.get(), target.get());
    fsync_or_throw(target.get(), name);
}

}  // namespace

bool has_image(const std::string& pool, const std::string& id) {
    return exists(pool + "/images/" + id + "/image.yaml");
}

void copy_image(const CopyImage& copy) {
    const StallRegion region;  // either may be the store, and files are copied whole
    if (has_image(copy.to, copy.image)) return;
    const ImageInfo image = image_of(copy.from, copy.image);
    make_dirs(copy.to + "/locks");
    const auto lock = lock_image(copy.to, image.name, image_wait);
    if (has_image(copy.to, copy.image)) return;
    PartialImage partial(copy.to, image.name);
    const Fd from = open_dir(copy.from + "/images/" + copy.image), to = open_dir(partial.path());
    try {
        for (const auto& name : list_dir(from.get())) copy_file(from.get(), to.get(), name);
    } catch (Error& e) {
        rethrow_full(e, copy.to);
    }
    partial.publish(copy.image, image.file());
    if (auto why = verify_image(copy.to, image); !why.empty()) {
        remove_tree_at(partial.images(), copy.image);
        throw Error(ErrorKind::failed, "image " + copy.image + " is not what it was: " + why,
                    "clara-image verify " + copy.image);
    }
}

}  // namespace clara::points
