#include <sys/stat.h>

#include <cerrno>

#include "clara/base/error.hpp"
#include "clara/base/files.hpp"
#include "clara/base/units.hpp"
#include "clara/drivers/disks/foreign.hpp"
#include "clara/drivers/images/build.hpp"
#include "clara/drivers/images/disk_import.hpp"
#include "clara/drivers/images/layers.hpp"
#include "clara/drivers/images/machine_disk.hpp"
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

bool has_disk_name(const std::string& path) {
    for (const char* end : {".raw", ".img", ".dd"})
        if (path.ends_with(end)) return true;
    return false;
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

ImagePlan plan_import(const ImportSource& source, const std::string& name) {
    if (auto problem = name_problem(name); !problem.empty())
        throw Error(ErrorKind::usage, "image name '" + name + "': " + problem);
    struct stat st {};
    if (::stat(source.path.c_str(), &st) != 0) throw system_error("cannot read " + source.path, errno);
    ImagePlan plan;
    plan.origin = "import " + source.path;
    plan.recipe.name = name;
    plan.recipe.description = "imported from " + source.path;
    std::string format = source.format;
    if (format.empty() && S_ISREG(st.st_mode) && source.kind != "lxc")
        format = format_by_magic(source.path).value_or(source.kind == "kvm" ? "raw" : "");
    if (format.empty() && source.kind.empty() && S_ISREG(st.st_mode) && has_disk_name(source.path))
        throw Error(ErrorKind::usage,
                    source.path + " is named like a raw disk, and what is in it is not guessed",
                    "--format raw where it is a disk, --kind lxc where it is a tar file");
    if (!format.empty() && source.kind == "lxc")
        throw Error(ErrorKind::usage, "a disk is for virtual machines",
                    "leave out --format, or say --kind kvm");
    if (!format.empty()) {
        plan.recipe.kind = "kvm";
        plan.recipe.init = source.init.empty() ? "system" : source.init;
        plan.disk = source.path;
        plan.disk_format = format;
        plan.disk_size = inspect_foreign(source.path, format).size;
        return plan;
    }
    if (source.kind == "kvm") need_disk_tools();
    plan.recipe.kind = source.kind.empty() ? "lxc" : source.kind;
    plan.keep_times = true;
    plan.detect_init = source.init.empty();
    plan.recipe.init = source.init;
    plan.recipe.layers.push_back(
        {S_ISDIR(st.st_mode) ? ImageLayer::Kind::folder : ImageLayer::Kind::tar, source.path});
    for (const auto& layer : plan.recipe.layers) check_layer(layer);
    return plan;
}

std::vector<std::string> steps(const ImagePlan& plan) {
    if (!plan.disk.empty())
        return {"Copy the " + plan.disk_format + " disk " + plan.disk + " of " + size_text(plan.disk_size),
                "Publish it as " + plan.recipe.name + "@DIGEST"};
    std::vector<std::string> lines;
    for (const auto& layer : plan.recipe.layers) lines.push_back(describe(layer));
    if (plan.recipe.kind == "kvm")
        lines.push_back("Add kernel and boot loader, write the disk of " + size_text(plan.recipe.disk));
    else
        lines.push_back("Write the EROFS image");
    lines.push_back("Publish it as " + plan.recipe.name + "@DIGEST");
    return lines;
}

}  // namespace clara
