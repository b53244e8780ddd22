#include "clara/drivers/images/build.hpp"

#include <fcntl.h>
#include <sys/stat.h>

#include <cerrno>

#include "clara/base/error.hpp"
#include "clara/base/files.hpp"
#include "clara/base/interrupt.hpp"
#include "clara/base/process.hpp"
#include "clara/drivers/images/boot_tree.hpp"
#include "clara/drivers/images/digest.hpp"
#include "clara/drivers/images/disk_import.hpp"
#include "clara/drivers/images/layers.hpp"
#include "clara/drivers/images/machine_disk.hpp"
#include "clara/drivers/images/partial.hpp"
#include "clara/drivers/images/skeleton.hpp"
#include "clara/drivers/images/store.hpp"
#include "clara/drivers/images/uuid.hpp"

namespace clara {
namespace {

void write_erofs(const ImagePlan& plan, const std::string& tree, const std::string& file) {
    std::vector<std::string> argv{"mkfs.erofs", "--quiet", "-T",
                                  "0",          "-U",      uuid_for("clara image " + plan.recipe.name)};
    if (plan.keep_times) argv.push_back("--preserve-mtime");
    if (!plan.recipe.compression.empty()) argv.push_back("-z" + plan.recipe.compression);
    argv.push_back(file);
    argv.push_back(tree);
    RunOptions options;
    options.timeout = std::chrono::hours(1);
    run_ok(argv, options);
}

void write_disk(const ImagePlan& plan, Tree& tree, const LayerContext& context, ImageInfo& image,
                const std::string& file) {
    const std::string uuid = uuid_for("clara root " + plan.recipe.name);
    for (auto& item :
         fit_for_machine(tree, {image.init, plan.recipe.kernel, uuid}, context.cache_dir, context.scratch))
        image.contents.push_back(std::move(item));
    image.disk = plan.recipe.disk;
    write_machine_disk(tree.path(), uuid, image.disk, plan.keep_times, context.scratch, file);
}

/// The image's file from the recipe's layers; `next` is called before each step.
void build_file(const ImagePlan& plan, const ImageSettings& settings, const PartialImage& partial,
                ImageInfo& image, const std::function<void()>& next) {
    for (const char* folder : {"/tree", "/scratch"}) make_dirs(partial.path() + folder);
    Tree tree(partial.path() + "/tree");
    const LayerContext context{partial.path() + "/scratch", settings.cache_dir, settings.show_progress};
    for (const auto& layer : plan.recipe.layers) {
        next();
        for (auto& item : apply_layer(layer, tree, context)) image.contents.push_back(std::move(item));
    }
    next();
    if (plan.detect_init) image.init = detect_init(tree);
    if (image.init == "clara") fit_for_clara_init(tree);
    const std::string file = partial.path() + "/" + image.file();
    if (image.kind == "kvm")
        write_disk(plan, tree, context, image, file);
    else
        write_erofs(plan, tree.path(), file);
    Fd dir = open_dir(partial.path());
    remove_tree_at(dir.get(), "tree");
    remove_tree_at(dir.get(), "scratch");
}

}  // namespace

ImageResult make_image(const ImagePlan& plan, const ImageSettings& settings,
                       const std::function<void(const std::string&)>& on_step) {
    NamedLock lock = lock_image(settings.pool, plan.recipe.name, settings.lock_wait);
    const auto lines = steps(plan);
    std::size_t step = 0;
    auto next = [&] {
        throw_if_interrupted();
        on_step(lines.at(step++));
    };

    PartialImage partial(settings.pool, plan.recipe.name);
    ImageResult result;
    ImageInfo& image = result.image;
    image.name = plan.recipe.name;
    image.kind = plan.recipe.kind;
    image.init = plan.recipe.init;
    image.description = plan.recipe.description;
    image.recipe = plan.origin;
    if (plan.disk.empty()) {
        build_file(plan, settings, partial, image, next);
    } else {
        next();
        import_disk(plan.disk, plan.disk_format, partial.path() + "/" + image.file());
        image.disk = plan.disk_size;
    }

    next();
    Fd dir = open_dir(partial.path());
    Fd file(::openat(dir.get(), image.file(), O_RDONLY | O_CLOEXEC));
    struct stat st {};
    if (!file || ::fstat(file.get(), &st) != 0) throw system_error("cannot read the new image", errno);
    image.size = static_cast<std::uint64_t>(st.st_size);
    image.digest = sha256_file(file.get());
    image.created = iso8601(settings.clock());
    if (exists_at(partial.images(), image.id())) {
        image = find_image(settings.pool, image.id());
        return result;
    }
    write_file_at(dir.get(), "image.yaml", write_image_info(image));
    partial.publish(image.id(), image.file());
    result.made = true;
    return result;
}

}  // namespace clara
