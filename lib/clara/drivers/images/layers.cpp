#include "clara/drivers/images/layers.hpp"

#include <sys/stat.h>

#include <cerrno>
#include <sstream>

#include "clara/base/error.hpp"
#include "clara/base/files.hpp"
#include "clara/base/process.hpp"
#include "clara/drivers/images/debian.hpp"
#include "clara/drivers/images/host_packages.hpp"
#include "clara/drivers/images/skeleton.hpp"

namespace clara {
namespace {

using Kind = ImageLayer::Kind;
constexpr std::chrono::hours patience{1};  // for downloads and compilers

std::string joined(const std::vector<std::string>& words) {
    std::string text;
    for (const auto& word : words) text += (text.empty() ? "" : ", ") + word;
    return text;
}

/// tar takes away a leading ../ or follows it; neither is what whoever packed such a file had in mind for us.
void refuse_escapes(const std::string& tar) {
    RunOptions options;
    options.timeout = patience;
    options.output_limit = 512 << 20;  // names of some millions of files
    options.extra_env = {"LC_ALL=C"};
    std::istringstream names(run_ok({"tar", "--list", "--file", tar, "--absolute-names"}, options));
    for (std::string name; std::getline(names, name);)
        if (("/" + name + "/").find("/../") != std::string::npos)
            throw Error(ErrorKind::refused, tar + " holds " + name + ", which leads out of it",
                        "pack it again: tar -C ROOT -cf FILE.tar .");
}

/// Unpacked into a new folder, so that nothing that was there before can lead it astray, then moved into the
/// tree.
void add_tar(const std::string& tar, Tree& tree, const LayerContext& context) {
    refuse_escapes(tar);
    Fd scratch = open_dir(context.scratch);
    remove_tree_at(scratch.get(), "tar");
    make_dir_at(scratch.get(), "tar", 0700);
    RunOptions options;
    options.timeout = patience;
    options.extra_env = {"LC_ALL=C"};
    run_ok({"tar", "--extract", "--file", tar, "--directory", context.scratch + "/tar", "--numeric-owner",
            "--same-owner", "--same-permissions", "--xattrs", "--xattrs-include=security.capability",
            "--delay-directory-restore", "--warning=no-timestamp"},
           options);
    tree.merge(context.scratch + "/tar", true);
    remove_tree_at(scratch.get(), "tar");
}

void run_script(const std::string& script, Tree& tree, const LayerContext& context) {
    RunOptions options;
    options.timeout = patience;
    options.inherit_stderr = context.show_progress;
    options.extra_env = {"CLARA_CACHE=" + context.cache_dir};
    options.cwd = "/";
    run_ok({script, tree.path()}, options);
}

}  // namespace

std::string describe(const ImageLayer& layer) {
    switch (layer.kind) {
        case Kind::recipe:
            return "Add recipe " + layer.path;
        case Kind::host_packages:
            return "Add this host's packages " + joined(layer.packages);
        case Kind::mmdebstrap:
            return "Add Debian " + layer.suite + " (" + layer.variant + ") with " + joined(layer.packages);
        case Kind::script:
            return "Run " + layer.path;
        case Kind::folder:
            return "Add folder " + layer.path;
        case Kind::tar:
            return "Unpack " + layer.path;
        case Kind::file:
            return "Write " + layer.path;
    }
    return "";
}

void check_layer(const ImageLayer& layer) {
    if (layer.kind == Kind::host_packages) choose_host_packages(layer.packages);
    if (layer.kind == Kind::mmdebstrap) need_mmdebstrap();
    if (layer.kind != Kind::script && layer.kind != Kind::folder && layer.kind != Kind::tar) return;
    struct stat st {};
    if (::stat(layer.path.c_str(), &st) != 0) throw system_error("cannot read " + layer.path, errno);
    const bool folder = layer.kind == Kind::folder;
    if (folder ? !S_ISDIR(st.st_mode) : !S_ISREG(st.st_mode))
        throw Error(ErrorKind::usage, layer.path + (folder ? " is no folder" : " is no file"));
    if (layer.kind == Kind::script && !(st.st_mode & 0111))
        throw Error(ErrorKind::usage, layer.path + " is not executable", "chmod +x " + layer.path);
}

std::vector<std::string> apply_layer(const ImageLayer& layer, Tree& tree, const LayerContext& context) {
    switch (layer.kind) {
        case Kind::recipe:
            break;
        case Kind::host_packages:
            add_skeleton(tree);
            return add_host_packages(tree, choose_host_packages(layer.packages));
        case Kind::mmdebstrap:
            return add_debian(layer, tree, context);
        case Kind::script:
            run_script(layer.path, tree, context);
            return {};
        case Kind::folder:
            tree.merge(layer.path, false);
            return {};
        case Kind::tar:
            add_tar(layer.path, tree, context);
            return {};
        case Kind::file:
            tree.write(layer.path, layer.content, layer.mode);
            return {};
    }
    throw Error(ErrorKind::failed, "a recipe below is no layer of its own: " + layer.path);
}

}  // namespace clara
