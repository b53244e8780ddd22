// Writing into a guest's disk that runs nowhere.
#pragma once
#include "clara/plan/action.hpp"

namespace clara {

/// Places the folders and files of `fill` into the ext4 image `file` (open for writing, locked), below
/// `upper`, and makes overlay's `work` beside it. `image` is the open image.erofs, or -1: parent folders take
/// mode, owner and symbolic links from there, because the overlay shows the upper folder's own in place of
/// the image's.
void fill_disk_image(int file, int image, const FillDisk& fill);

/// Owners as PlacedFile names them: a user, or a number. Error{usage} where there is no such user.
uid_t owner_id(const std::string& owner, const FillDisk& fill);

}  // namespace clara
