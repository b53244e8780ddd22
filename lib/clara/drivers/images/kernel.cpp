#include "clara/drivers/images/kernel.hpp"

#include <fcntl.h>
#include <stdio.h>

#include <algorithm>
#include <cerrno>
#include <filesystem>
#include <map>
#include <optional>
#include <set>
#include <sstream>

#include "clara/base/error.hpp"
#include "clara/base/files.hpp"
#include "clara/base/lock.hpp"
#include "clara/base/log.hpp"
#include "clara/base/process.hpp"

namespace clara {
namespace {

namespace fs = std::filesystem;
constexpr std::chrono::minutes patience{30};  // for a download

/// Fields of apt's record of a package: the first one is the newest.
std::string field(const std::string& record, const std::string& name) {
    std::istringstream lines(record);
    for (std::string line; std::getline(lines, line) && !line.empty();)
        if (line.starts_with(name + ": ")) return line.substr(name.size() + 2);
    return "";
}

struct Candidate {
    std::string package, version;
    std::string folder() const {  // a version may hold ':' and '~', never '/'
        return package + "_" + version;
    }
};

/// What apt would install: linux-image-cloud-amd64 stands for linux-image-6.1.0-56-cloud-amd64 (= 6.1.192-2).
std::optional<Candidate> candidate(std::string package) {
    for (int depth = 0; depth < 3; ++depth) {
        RunResult shown = run({"apt-cache", "show", "--no-all-versions", package},
                              {.timeout = patience, .extra_env = {"LC_ALL=C"}});
        if (shown.status != 0) return std::nullopt;
        std::istringstream depends(field(shown.out, "Depends"));
        std::string first;
        depends >> first;
        if (!first.starts_with("linux-image-")) return Candidate{package, field(shown.out, "Version")};
        package = first.substr(0, first.find_first_of(" ,("));
    }
    return std::nullopt;
}

std::string only_entry(const std::string& folder, const std::string& prefix) {
    if (exists(folder))
        for (const auto& name : list_dir(folder))
            if (name.starts_with(prefix)) return name;
    return "";
}

/// Debian 13's are compressed: uncompressed ones load without a program that can do that.
void unpack_modules(const std::string& modules) {
    std::vector<std::string> argv{"xz", "--decompress"};
    for (const auto& entry : fs::recursive_directory_iterator(modules))
        if (entry.path().extension() == ".xz") argv.push_back(entry.path().string());
    if (argv.size() > 2) run_ok(argv, {.timeout = patience});
}

Kernel read_kernel(const std::string& folder, const std::string& label) {
    Kernel kernel;
    const std::string image = only_entry(folder + "/boot", "vmlinuz-");
    for (const char* lib : {"/usr/lib/modules", "/lib/modules"})
        if (kernel.release.empty()) {
            kernel.release = only_entry(folder + lib, "");
            kernel.modules = folder + lib + "/" + kernel.release;
        }
    if (image.empty() || kernel.release.empty())
        throw Error(ErrorKind::failed, folder + " holds no kernel with modules", "remove that folder");
    kernel.image = folder + "/boot/" + image;
    kernel.package = label;
    return kernel;
}

std::string deb_of(const Candidate& candidate, const std::string& kernels) {
    for (const auto& name : list_dir(kernels))
        if (name.starts_with(candidate.folder() + "_") && name.ends_with(".deb")) return kernels + "/" + name;
    return "";
}

/// In its place only when it is whole.
void download(const Candidate& wanted, const std::string& kernels) {
    Fd dir = open_dir(kernels);
    const std::string partial = "." + wanted.folder() + ".download";
    remove_tree_at(dir.get(), partial);
    Fd inside = make_dir_at(dir.get(), partial);
    log::status("downloading " + wanted.package);
    run_ok({"apt-get", "-q", "download", "-o", "APT::Sandbox::User=root", "-o", "Acquire::Retries=3",
            wanted.package + "=" + wanted.version},
           {.timeout = patience, .cwd = kernels + "/" + partial});
    for (const auto& deb : list_dir(inside.get()))
        if (::renameat(inside.get(), deb.c_str(), dir.get(), deb.c_str()) != 0)
            throw system_error("cannot keep " + deb, errno);
    remove_tree_at(dir.get(), partial);
}

/// The folder appears when all of it is there; the package has served then.
void unpack(const Candidate& wanted, const std::string& kernels) {
    Fd dir = open_dir(kernels);
    const std::string partial = "." + wanted.folder() + ".partial", root = kernels + "/" + partial + "/root";
    const std::string deb = deb_of(wanted, kernels);
    remove_tree_at(dir.get(), partial);
    make_dir_at(dir.get(), partial);
    run_ok({"dpkg-deb", "-x", deb, root}, {.timeout = patience});
    const Kernel kernel = read_kernel(root, "");
    unpack_modules(kernel.modules);
    fs::path base = fs::path(kernel.modules).parent_path().parent_path().parent_path();  // above lib/modules
    run_ok({"depmod", "-b", base.string(), kernel.release}, {.timeout = patience});
    if (::renameat(dir.get(), partial.c_str(), dir.get(), wanted.folder().c_str()) != 0)
        throw system_error("cannot keep " + wanted.folder(), errno);
    remove_tree_at(dir.get(), deb.substr(deb.rfind('/') + 1));
}

/// By Debian's order of versions, of the packages in the cache that `package` may have stood for.
std::optional<Candidate> newest_cached(const std::string& package, const std::string& kernels) {
    const std::string flavour = package.starts_with("linux-image-") ? package.substr(11) : package;
    std::optional<Candidate> newest;
    for (const auto& name : list_dir(kernels)) {  // PACKAGE_VERSION, or PACKAGE_VERSION_ARCHITECTURE.deb
        const auto split = name.find('_');
        if (name[0] == '.' || split == std::string::npos) continue;
        const Candidate found{name.substr(0, split),
                              name.substr(split + 1, name.find('_', split + 1) - split - 1)};
        if (found.package != package && !found.package.ends_with(flavour)) continue;
        if (!newest || run({"dpkg", "--compare-versions", found.version, "gt", newest->version}).status == 0)
            newest = found;
    }
    return newest;
}

}  // namespace

Kernel get_kernel(const std::string& package, const std::string& cache_dir) {
    const std::string kernels = cache_dir + "/kernels";
    make_dirs(kernels);
    auto lock = NamedLock::take(kernels + "/.lock", "downloading a kernel", patience);
    auto wanted = candidate(package);
    std::string why = "apt does not know it";
    auto there = [&] {
        return exists(kernels + "/" + wanted->folder()) || !deb_of(*wanted, kernels).empty();
    };
    if (wanted && !there()) try {
            download(*wanted, kernels);
        } catch (const Error& e) {
            if (e.kind() != ErrorKind::failed) throw;
            why = e.message();
            wanted.reset();
        }
    if (!wanted) {
        wanted = newest_cached(package, kernels);
        if (!wanted)
            throw Error(ErrorKind::failed, "cannot get " + package + ": " + why,
                        "apt-get update, then again");
        log::warn("{}: taking {} of the cache: {}", package, wanted->version, why);
    }
    if (!exists(kernels + "/" + wanted->folder())) unpack(*wanted, kernels);
    return read_kernel(kernels + "/" + wanted->folder() + "/root", wanted->package + " " + wanted->version);
}

std::vector<std::string> load_order(const std::string& modules_dep, const std::vector<std::string>& names) {
    auto plain = [](std::string path) {
        std::string name = path.substr(path.rfind('/') + 1);
        name = name.substr(0, name.find('.'));
        std::replace(name.begin(), name.end(), '-', '_');
        return name;
    };
    std::map<std::string, std::vector<std::string>> files;  // name -> its file, then what it needs
    std::istringstream lines(modules_dep);
    for (std::string line; std::getline(lines, line);) {
        const auto colon = line.find(':');
        if (colon == std::string::npos) continue;
        std::vector<std::string> all{line.substr(0, colon)};
        std::istringstream needs(line.substr(colon + 1));
        for (std::string file; needs >> file;) all.push_back(file);
        files[plain(all[0])] = std::move(all);
    }
    std::vector<std::string> order;
    std::set<std::string> there;
    for (const auto& name : names) {
        auto found = files.find(plain(name));
        if (found == files.end()) continue;
        // depmod(8) lists what is needed last first
        for (auto file = found->second.rbegin(); file != found->second.rend(); ++file)
            if (there.insert(*file).second) order.push_back(*file);
    }
    return order;
}

std::vector<std::string> with_dependencies(const Kernel& kernel, const std::vector<std::string>& names) {
    const std::string file = kernel.modules + "/modules.dep";
    auto text = read_file(file);
    if (!text) throw Error(ErrorKind::failed, file + " is missing", "remove the folder of that kernel");
    return load_order(*text, names);
}

}  // namespace clara
