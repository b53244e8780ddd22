#include "clara/drivers/images/debian.hpp"

#include <sstream>

#include "clara/base/error.hpp"
#include "clara/base/files.hpp"
#include "clara/base/process.hpp"

namespace clara {
namespace {

constexpr const char* keyring = "[signed-by=/usr/share/keyrings/debian-archive-keyring.gpg]";

/// sources.list lines for the suite, its updates and its security: the host's own Debian mirrors, and
/// Debian's where its apt configuration names none for this suite.
std::string sources(const std::string& suite) {
    std::istringstream targets(run_ok({"apt-get", "indextargets", "--format",
                                       "$(REPO_URI) $(RELEASE) $(COMPONENT)", "Created-By: Packages"}));
    std::string text;
    bool base = false;
    for (std::string uri, release, component; targets >> uri >> release >> component;) {
        const bool wanted =
            release == suite || release == suite + "-updates" || release == suite + "-security";
        if (!wanted || component != "main" || uri.find("/debian") == std::string::npos) continue;
        base = base || release == suite;
        text += std::string("deb ") + keyring + " " + uri + " " + release + " main\n";
    }
    return base ? text
                : std::string("deb ") + keyring + " http://deb.debian.org/debian " + suite + " main\n" + text;
}

}  // namespace

void need_mmdebstrap() {
    if (!exists("/usr/bin/mmdebstrap"))
        throw Error(ErrorKind::failed, "mmdebstrap is not installed on this host",
                    "apt-get install mmdebstrap");
}

std::vector<std::string> add_debian(const ImageLayer& layer, Tree& tree, const LayerContext& context) {
    std::string include;
    for (const auto& package : layer.packages) include += (include.empty() ? "" : ",") + package;
    const std::string packages = context.cache_dir + "/debs";
    make_dirs(packages);
    const std::string target = context.scratch + "/debian";
    RunOptions options;
    options.timeout = std::chrono::hours(1);
    options.inherit_stderr = context.show_progress;
    options.input = sources(layer.suite);
    options.cwd = packages;
    std::vector<std::string> argv{"mmdebstrap", "--variant=" + layer.variant, "--format=directory"};
    if (!include.empty()) argv.push_back("--include=" + include);
    for (const char* folder : {"doc", "man", "locale", "info", "lintian"})
        argv.push_back(std::string("--dpkgopt=path-exclude=/usr/share/") + folder + "/*");
    // Debian's copyright files stay; openjdk's update-alternatives fails without man1.
    for (const char* more :
         {"--dpkgopt=path-include=/usr/share/doc/*/copyright", "--aptopt=Acquire::Retries \"3\"",
          "--essential-hook=mkdir -p \"$1/usr/share/man/man1\"",
          "--setup-hook=mkdir -p \"$1/var/cache/apt/archives\"",
          "--setup-hook=sync-in . /var/cache/apt/archives",
          "--customize-hook=sync-out /var/cache/apt/archives ."})
        argv.push_back(more);
    for (const auto& last : {layer.suite, target, std::string("-")}) argv.push_back(last);
    run_ok(argv, options);

    std::istringstream names(run_ok(
        {"dpkg-query", "--admindir=" + target + "/var/lib/dpkg", "-W", "-f", "${Package} ${Version}\\n"}));
    std::vector<std::string> contents;
    for (std::string line; std::getline(names, line);) contents.push_back(line);
    tree.merge(target, true);
    Fd scratch = open_dir(context.scratch);
    remove_tree_at(scratch.get(), "debian");
    return contents;
}

}  // namespace clara
