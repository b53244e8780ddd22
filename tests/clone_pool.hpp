// A pool in which a copy "new" is made.
#pragma once
#include <sys/stat.h>

#include "clara/drivers/disks/qemu_img.hpp"
#include "clara/drivers/storage/dir_storage.hpp"
#include "clara/drivers/storage/layout.hpp"
#include "copy_tools.hpp"
#include "disk_tools.hpp"
#include "temp_dir.hpp"

namespace clara {

struct ClonePool {
    TempDir dir;
    DirStorage storage;
    std::string path = dir / "pool";
    std::string partial = pool::guest(path, ".new.partial");

    CopyDisks copy(const std::string& source, const std::string& format) const {
        CopyDisks a{path, "new", "a test"};
        a.disks = {{.source = source, .format = format, .file = "disk.qcow2"}};
        return a;
    }
    std::string disk(const std::string& file = "disk.qcow2") const { return partial + "/" + file; }
    /// A kvm image with the content.
    std::string add_image(const std::string& id, const std::string& raw) const {
        make_dirs(path + "/images/" + id);
        qemu_img({"convert", "-f", "raw", "-O", "qcow2", raw, pool::image_disk(path, id)});
        return pool::image_disk(path, id);
    }
    /// A guest's disk on a file of the pool.
    std::string add_guest(const std::string& name, const std::string& backing) const {
        make_dirs(pool::guest(path, name));
        create_linked(open_dir(pool::guest(path, name)).get(), "disk.qcow2", backing, 0);
        return pool::guest(path, name) + "/disk.qcow2";
    }
    bool nothing_left() const { return list_dir(pool::guests(path)).empty(); }
};

inline std::uint64_t taken(const std::string& file) {
    struct stat st {};
    REQUIRE(::stat(file.c_str(), &st) == 0);
    return static_cast<std::uint64_t>(st.st_blocks) * 512;
}

inline bool same_content(const std::string& a, const std::string& b) {
    return run({"qemu-img", "compare", "-f", "qcow2", "-F", "qcow2", a, b}).status == 0;
}

}  // namespace clara
