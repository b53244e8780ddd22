// The images of a pool: POOL/images/NAME@DIGEST12/{image.yaml, image.erofs or disk.qcow2}. They never change.
#pragma once
#include <chrono>
#include <set>
#include <string>
#include <vector>

#include "clara/base/lock.hpp"
#include "clara/spec/image.hpp"

namespace clara {

struct ImageList {
    std::vector<ImageInfo> images;  ///< by name, the newest of a name first
    std::set<std::string> broken;   ///< ids whose image.yaml and file do not fit
};

/// Reads every image.yaml, no digest. A pool without images is empty.
ImageList list_images(const std::string& pool);

/// `ref` is NAME (the newest of that name) or NAME@ with at least 6 digits of the digest.
/// Error{usage} where there is none, with the near name or the images there are; and where both kinds of a
/// name fit and `kind` is empty.
ImageInfo find_image(const std::string& pool, const std::string& ref, const std::string& kind = "");

/// Reads the image again and compares its digest. Returns what is wrong, empty where nothing is.
std::string verify_image(const std::string& pool, const ImageInfo& image);

/// Guests of the pool that stand on the image, also those being made: by their guest.yaml, and by the chains
/// of their disks. Error{failed} where one of these cannot be read.
std::vector<std::string> image_users(const std::string& pool, const std::string& id);

/// Error{refused} that names the guests which use it.
void refuse_used_image(const std::string& pool, const std::string& id);

/// Unmounts what this boot still has of it below `run_dir`/images, then removes it.
/// Error{refused} where a guest uses it. The caller has lock_image().
void remove_image(const std::string& pool, const std::string& id, const std::string& run_dir);

/// Held while an image of that name is built or removed.
NamedLock lock_image(const std::string& pool, const std::string& name, std::chrono::milliseconds wait);

}  // namespace clara
