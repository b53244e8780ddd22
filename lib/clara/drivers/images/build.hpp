// Making images: a list of steps that can be printed (--dry-run) and then run.
#pragma once
#include <chrono>
#include <functional>
#include <string>
#include <vector>

#include "clara/base/clock.hpp"
#include "clara/spec/image.hpp"

namespace clara {

struct ImageSettings {
    std::string pool;                        ///< absolute folder
    std::vector<std::string> template_path;  ///< recipes lie in FOLDER/images
    std::string cache_dir = "/var/cache/clara";
    std::chrono::milliseconds lock_wait{0};
    bool show_progress = true;
    Clock clock = system_clock();
};

struct ImagePlan {
    ImageRecipe recipe;  ///< its layers are flat: recipes below are resolved
    std::string origin;  ///< image.yaml's `recipe`
    bool keep_times = false;
    bool detect_init = false;
    std::string disk, disk_format;  ///< a disk file that becomes the image, in place of layers
    std::uint64_t disk_size = 0;    ///< bytes the guest sees of it
};

struct ImageResult {
    ImageInfo image;
    bool made = false;  ///< false: the pool had this very image
};

/// `recipe` is a file, or a name in the template path. Errors of the recipe and what this host lacks are told
/// here, before anything is made. `kind` is lxc, kvm or "" (as the recipe says): any recipe has both forms.
ImagePlan plan_build(const std::string& recipe, const ImageSettings& settings, const std::string& kind = "");

struct ImportSource {
    std::string path;    ///< a folder, a tar file or a disk file
    std::string kind;    ///< lxc, kvm or "": what the file says it is, a file that says nothing is a tar file
    std::string format;  ///< of a disk file; "": what its first bytes say, raw with kind kvm
    std::string init;    ///< clara, system or "": look whether it has its own (a disk: system)
};

/// A root file system as a tar file or folder, or a disk file. A disk is examined here: Error{refused} where
/// it is damaged, lies about itself, or refers to other files.
ImagePlan plan_import(const ImportSource& source, const std::string& name);

/// One line a step.
std::vector<std::string> steps(const ImagePlan& plan);

/// Runs the steps; on_step is called before each. On an error nothing stays behind.
ImageResult make_image(const ImagePlan& plan, const ImageSettings& settings,
                       const std::function<void(const std::string&)>& on_step);

}  // namespace clara
