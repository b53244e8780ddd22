#include "clara/drivers/images/partial.hpp"

#include <fcntl.h>
#include <stdio.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cerrno>

#include "clara/base/error.hpp"
#include "clara/base/files.hpp"
#include "clara/base/log.hpp"

namespace clara {

PartialImage::PartialImage(const std::string& pool, const std::string& name)
    : name_("." + name + ".partial") {
    make_dirs(pool + "/images");
    images_ = open_dir(pool + "/images");
    path_ = pool + "/images/" + name_;
    remove_tree_at(images_.get(), name_);  // of a killed run: we hold the lock
    make_dir_at(images_.get(), name_, 0700);
}

PartialImage::~PartialImage() {
    try {
        remove_tree_at(images_.get(), name_);
    } catch (const std::exception& e) {
        log::warn("{} stays behind: {}", path_, e.what());
    }
}

void PartialImage::publish(const std::string& id, const std::string& file) {
    Fd dir = open_dir(path_);
    Fd data(::openat(dir.get(), file.c_str(), O_RDONLY | O_CLOEXEC));
    if (!data || ::fsync(data.get()) != 0 || ::fchmod(dir.get(), 0755) != 0 || ::fsync(dir.get()) != 0 ||
        ::renameat(images_.get(), name_.c_str(), images_.get(), id.c_str()) != 0 ||
        ::fsync(images_.get()) != 0)
        throw system_error("cannot publish image " + id, errno);
}

}  // namespace clara
