#include "clara/drivers/images/build.hpp"

#include <fcntl.h>
#include <stdio.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cerrno>

#include "clara/base/error.hpp"
#include "clara/base/files.hpp"
#include "clara/base/interrupt.hpp"
#include "clara/base/process.hpp"
#include "clara/base/units.hpp"
#include "clara/drivers/images/boot_tree.hpp"
#include "clara/drivers/images/digest.hpp"
#include "clara/drivers/images/layers.hpp"
#include "clara/drivers/images/machine_disk.hpp"
#include "clara/drivers/images/partial.hpp"
#include "clara/drivers/images/skeleton.hpp"
#include "clara/drivers/images/store.hpp"
#include "clara/drivers/images/uuid.hpp"
#include "clara/spec/names.hpp"

namespace clara {
namespace {

constexpr int deepest = 8;  // recipes below recipes

std::string find_recipe(const std::string& recipe, const std::vector<std::string>& template_path) {
    if (recipe.find('/') != std::string::npos || recipe.ends_with(".yaml")) return recipe;
    std::vector<std::string> names;
    for (const auto& folder : template_path) {
        const std::string file = folder + "/images/" + recipe + ".yaml";
        if (exists(file)) return file;
        if (!exists(folder + "/images")) continue;
        for (const auto& name : list_dir(folder + "/images"))
            if (name.ends_with(".yaml")) names.push_back(name.substr(0, name.size() - 5));
    }
    const std::string near = nearest(recipe, names);
    std::string all;
    for (const auto& name : names) all += (all.empty() ? "" : ", ") + name;
    throw Error(ErrorKind::usage, "no image recipe " + recipe,
                !near.empty() ? "did you mean " + near + "?"
                : all.empty() ? ""
                              : "there are " + all);
}

ImageRecipe read_flat(const std::string& recipe, const std::vector<std::string>& template_path, int depth) {
    if (depth > deepest)
        throw Error(
            ErrorKind::usage,
            "recipe " + recipe + ": recipes below recipes, more than " + std::to_string(deepest) + " deep",
            "is one below itself?");
    ImageRecipe result = read_recipe(find_recipe(recipe, template_path));
    std::vector<ImageLayer> layers;
    for (const auto& layer : result.layers) {
        if (layer.kind != ImageLayer::Kind::recipe) {
            layers.push_back(layer);
            continue;
        }
        auto below = read_flat(layer.path, template_path, depth + 1).layers;
        layers.insert(layers.end(), below.begin(), below.end());
    }
    result.layers = std::move(layers);
    return result;
}

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

}  // namespace

ImagePlan plan_build(const std::string& recipe, const ImageSettings& settings, const std::string& kind) {
    ImagePlan plan;
    plan.origin = recipe;
    plan.recipe = read_flat(recipe, settings.template_path, 0);
    if (!kind.empty()) plan.recipe.kind = kind;
    if (plan.recipe.kind == "kvm") {
        need_disk_tools();
        if (plan.recipe.init == "clara")
            plan.recipe.layers.push_back({ImageLayer::Kind::host_packages, "", {"qemu-guest-agent"}});
    }
    for (const auto& layer : plan.recipe.layers) check_layer(layer);
    return plan;
}

ImagePlan plan_import(const std::string& path, const std::string& name, const std::string& init) {
    if (auto problem = name_problem(name); !problem.empty())
        throw Error(ErrorKind::usage, "image name '" + name + "': " + problem);
    ImagePlan plan;
    struct stat st {};
    if (::stat(path.c_str(), &st) != 0) throw system_error("cannot read " + path, errno);
    plan.origin = "import " + path;
    plan.keep_times = true;
    plan.detect_init = init.empty();
    plan.recipe.name = name;
    plan.recipe.description = "imported from " + path;
    plan.recipe.init = init;
    plan.recipe.layers.push_back(
        {S_ISDIR(st.st_mode) ? ImageLayer::Kind::folder : ImageLayer::Kind::tar, path});
    for (const auto& layer : plan.recipe.layers) check_layer(layer);
    return plan;
}

std::vector<std::string> steps(const ImagePlan& plan) {
    std::vector<std::string> lines;
    for (const auto& layer : plan.recipe.layers) lines.push_back(describe(layer));
    if (plan.recipe.kind == "kvm")
        lines.push_back("Add kernel and boot loader, write the disk of " + size_text(plan.recipe.disk));
    else
        lines.push_back("Write the EROFS image");
    lines.push_back("Publish it as " + plan.recipe.name + "@DIGEST");
    return lines;
}

ImageResult make_image(const ImagePlan& plan, const ImageSettings& settings,
                       const std::function<void(const std::string&)>& on_step) {
    const ImageRecipe& recipe = plan.recipe;
    NamedLock lock = lock_image(settings.pool, recipe.name, settings.lock_wait);
    const auto lines = steps(plan);
    std::size_t step = 0;
    auto next = [&] {
        throw_if_interrupted();
        on_step(lines.at(step++));
    };

    PartialImage partial(settings.pool, recipe.name);
    for (const char* folder : {"/tree", "/scratch"}) make_dirs(partial.path() + folder);
    Tree tree(partial.path() + "/tree");
    LayerContext context{partial.path() + "/scratch", settings.cache_dir, settings.show_progress};
    ImageResult result;
    for (const auto& layer : recipe.layers) {
        next();
        for (auto& item : apply_layer(layer, tree, context)) result.image.contents.push_back(std::move(item));
    }

    next();
    ImageInfo& image = result.image;
    image.name = recipe.name;
    image.kind = recipe.kind;
    image.init = plan.detect_init ? detect_init(tree) : recipe.init;
    if (image.init == "clara") fit_for_clara_init(tree);
    const std::string file = partial.path() + "/" + image.file();
    if (image.kind == "kvm") {
        const std::string uuid = uuid_for("clara root " + recipe.name);
        for (auto& item : fit_for_machine(tree, recipe, uuid, settings.cache_dir, context.scratch))
            image.contents.push_back(std::move(item));
        write_machine_disk(tree.path(), uuid, recipe.disk, plan.keep_times, context.scratch, file);
        image.disk = recipe.disk;
    } else {
        write_erofs(plan, tree.path(), file);
    }
    Fd dir = open_dir(partial.path());
    remove_tree_at(dir.get(), "tree");
    remove_tree_at(dir.get(), "scratch");

    next();
    Fd made(::openat(dir.get(), image.file(), O_RDONLY | O_CLOEXEC));
    struct stat st {};
    if (!made || ::fstat(made.get(), &st) != 0) throw system_error("cannot read the new image", errno);
    image.description = recipe.description;
    image.recipe = plan.origin;
    image.size = static_cast<std::uint64_t>(st.st_size);
    image.digest = sha256_file(made.get());
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
