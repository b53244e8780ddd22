#include "clara/spec/image.hpp"

#include <fmt/format.h>

#include "clara/base/units.hpp"
#include "clara/spec/bind.hpp"
#include "clara/spec/checks.hpp"

namespace clara {
namespace {

using Kind = ImageLayer::Kind;

const Table<ImageInfo>& info_table() {
    static const Table<ImageInfo> table{
        field(&ImageInfo::name,
              {.name = "name", .doc = "Name.", .required = true, .check = image_name_problem}),
        field(&ImageInfo::digest,
              {.name = "digest", .doc = "SHA-256 of its file.", .required = true, .check = digest_problem}),
        field(&ImageInfo::description, {.name = "description", .doc = "What it is for."}),
        field(&ImageInfo::init,
              {.name = "init", .type = Type::choice, .doc = "Its PID 1.", .choices = {"clara", "system"}}),
        field(&ImageInfo::kind,
              {.name = "kind", .type = Type::choice, .doc = "Of which guests.", .choices = {"lxc", "kvm"}}),
        field(&ImageInfo::size, {.name = "size", .type = Type::size, .doc = "Bytes of its file."}),
        field(&ImageInfo::disk, {.name = "disk", .type = Type::size, .doc = "Bytes a virtual machine sees."}),
        field(&ImageInfo::created, {.name = "created", .doc = "UTC, ISO 8601."}),
        field(&ImageInfo::recipe, {.name = "recipe", .doc = "What it was made from."}),
        field(&ImageInfo::contents, {.name = "contents", .doc = "Packages with versions."}),
    };
    return table;
}

struct LayerName {
    const char* key;
    Kind kind;
};
constexpr std::uint64_t smallest_disk = 64ULL << 20;
constexpr std::uint64_t largest_recipe_disk = 2ULL << 40;  // what an MBR's partition reaches

constexpr LayerName layer_names[] = {
    {"recipe", Kind::recipe},
    {"host-packages", Kind::host_packages},
    {"mmdebstrap", Kind::mmdebstrap},
    {"script", Kind::script},
    {"folder", Kind::folder},
    {"tar", Kind::tar},
    {"file", Kind::file},
};

Table<ImageLayer> mmdebstrap_table() {
    return {
        field(&ImageLayer::variant, {.name = "variant", .doc = "See mmdebstrap(1).", .fallback = "minbase"}),
        field(&ImageLayer::suite, {.name = "suite", .doc = "Debian release.", .fallback = "bookworm"}),
        field(&ImageLayer::packages, {.name = "packages", .doc = "Packages beside the variant's own."}),
    };
}

Table<ImageLayer> file_table() {
    return {
        field(&ImageLayer::path,
              {.name = "path", .type = Type::path, .doc = "Where it goes.", .required = true}),
        field(&ImageLayer::content,
              {.name = "content", .type = Type::block, .doc = "Its text.", .required = true}),
        field(&ImageLayer::mode,
              {.name = "mode", .type = Type::mode, .doc = "Permissions.", .fallback = "0644"}),
    };
}

Table<ImageLayer> layer_table() {
    return {
        field(&ImageLayer::path, {.name = "recipe", .doc = "Another recipe, by name or path."}),
        field(&ImageLayer::packages,
              {.name = "host-packages", .doc = "Files of packages installed here, with their libraries."}),
        group<ImageLayer>({.name = "mmdebstrap", .doc = "A Debian tree."}, mmdebstrap_table()),
        field(&ImageLayer::path,
              {.name = "script", .type = Type::host_path, .doc = "Run with the tree as its argument."}),
        field(&ImageLayer::path, {.name = "folder", .type = Type::host_path, .doc = "Copied."}),
        field(&ImageLayer::path, {.name = "tar", .type = Type::host_path, .doc = "Unpacked."}),
        group<ImageLayer>({.name = "file", .doc = "One file."}, file_table()),
    };
}

Key recipe_key() {
    Key layer{.type = Type::section, .children = keys_of(layer_table())};
    return {.type = Type::section,
            .children = {
                {.name = "name", .doc = "Name of the image.", .required = true, .check = image_name_problem},
                {.name = "description", .doc = "What it is for."},
                {.name = "init", .type = Type::choice, .doc = "PID 1.", .choices = {"clara", "system"}},
                {.name = "compression", .doc = "mkfs.erofs -z, for containers.", .example = "lz4hc"},
                {.name = "kind", .type = Type::choice, .doc = "Of which guests.", .choices = {"lxc", "kvm"}},
                {.name = "disk", .type = Type::size, .doc = "Virtual machines' disk.", .fallback = "2G"},
                {.name = "kernel",
                 .doc = "Debian package, where the layers bring none.",
                 .fallback = "linux-image-cloud-amd64",
                 .check = package_problem},
                {.name = "layers",
                 .type = Type::list,
                 .doc = "Applied in order, later files win.",
                 .required = true,
                 .children = {layer}},
            }};
}

ImageLayer read_layer(const Yaml& node, Problems& problems) {
    ImageLayer layer{};
    if (node.items.size() != 1) {
        problems.add(node.place, "a layer has exactly one key; begin each with '- '");
        return layer;
    }
    read_section(node, layer_table(), layer);
    for (const auto& name : layer_names)
        if (node.names[0].text == name.key) layer.kind = name.kind;
    const Yaml& value = node.items[0];
    if (value.null()) problems.add(node.place, fmt::format("{}: nothing is named", node.names[0].text));
    if (layer.kind == Kind::recipe && value.text.find('/') != std::string::npos)
        layer.path = host_path(value);
    return layer;
}

}  // namespace

ImageRecipe read_recipe(const std::string& file) {
    Problems problems;
    Yaml tree = load_yaml_file(file, problems);
    validate(tree, recipe_key(), problems);
    problems.check();
    ImageRecipe recipe;
    auto text = [&](const char* key, std::string& into) {
        if (const Yaml* node = tree.find(key)) into = node->text;
    };
    text("name", recipe.name);
    text("description", recipe.description);
    text("init", recipe.init);
    text("compression", recipe.compression);
    text("kind", recipe.kind);
    text("kernel", recipe.kernel);
    if (const Yaml* node = tree.find("disk")) {
        recipe.disk = parse_size(node->text).value_or(0);
        if (recipe.disk < smallest_disk || recipe.disk > largest_recipe_disk)
            problems.add(node->place, "disk: expected 64M to 2T");
    }
    for (const auto& node : tree.find("layers")->items) recipe.layers.push_back(read_layer(node, problems));
    if (recipe.layers.empty()) problems.add(tree.place, "layers: an image needs at least one");
    problems.check();
    return recipe;
}

std::string write_image_info(const ImageInfo& info) {
    return emit_yaml(write_section(info, info_table()));
}

ImageInfo read_image_info(const std::string& yaml, const std::string& where) {
    Problems problems;
    Yaml tree = load_yaml(yaml, {where, "/"}, problems);
    validate(tree, {.type = Type::section, .children = keys_of(info_table())}, problems);
    problems.check();
    ImageInfo info;
    read_section(tree, info_table(), info);
    return info;
}

}  // namespace clara
