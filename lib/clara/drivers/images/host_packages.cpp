#include "clara/drivers/images/host_packages.hpp"

#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <cstring>
#include <iterator>
#include <set>
#include <sstream>

#include "clara/base/error.hpp"
#include "clara/base/files.hpp"
#include "clara/base/process.hpp"

namespace clara {
namespace {

/// Documentation, and what belongs to the host's own init, packaging, login and firewall.
bool is_left_out(const std::string& path) {
    for (const char* folder :
         {"/usr/share/doc", "/usr/share/man", "/usr/share/locale", "/usr/share/info", "/usr/share/lintian",
          "/usr/share/bug", "/usr/share/apport", "/usr/share/initramfs-tools", "/usr/share/runit",
          "/lib/systemd", "/usr/lib/systemd", "/etc/init.d", "/etc/default", "/etc/sv", "/etc/runit",
          "/etc/ufw", "/etc/pam.d", "/var/log/runit", "/run"})
        if (path.starts_with(folder) &&
            (path.size() == std::strlen(folder) || std::strchr("/-", path[std::strlen(folder)])))
            return true;
    return path.find("/gconv") != std::string::npos;  // libc6's tables for character sets other than UTF-8
}

std::vector<std::string> lines_of(const std::string& text) {
    std::vector<std::string> lines;
    std::istringstream in(text);
    for (std::string line; std::getline(in, line);) lines.push_back(line);
    return lines;
}

bool is_elf(const std::string& path) {
    Fd fd(::open(path.c_str(), O_RDONLY | O_NOFOLLOW | O_NONBLOCK | O_CLOEXEC));
    std::array<char, 4> magic{};
    return fd && ::read(fd.get(), magic.data(), magic.size()) == 4 &&
           std::memcmp(magic.data(), "\177ELF", 4) == 0;
}

/// A host path and, where it is a symbolic link, what it leads to, link by link.
void take_with_targets(Tree& tree, std::string path) {
    for (int links = 0; links < 8; ++links) {
        tree.take(path, path);
        std::array<char, 4096> target{};
        ssize_t size = ::readlink(path.c_str(), target.data(), target.size());
        if (size <= 0) return;
        std::string to(target.data(), static_cast<std::size_t>(size));
        path = to.front() == '/' ? to : path.substr(0, path.rfind('/') + 1) + to;
    }
    throw Error(ErrorKind::failed, path + " is a link to a link to a link");
}

/// Libraries as the dynamic loader finds them: "libz.so.1 => /lib/x86_64-linux-gnu/libz.so.1 (0x7f...)".
std::set<std::string> libraries_of(const std::vector<std::string>& programs) {
    std::set<std::string> libraries;
    if (programs.empty()) return libraries;
    std::vector<std::string> argv{"ldd"};
    argv.insert(argv.end(), programs.begin(), programs.end());
    // Its status is 1 when one of the files is static.
    for (const auto& line : lines_of(run(argv, {.extra_env = {"LC_ALL=C"}}).out)) {
        if (line.find("=> not found") != std::string::npos)
            throw Error(ErrorKind::failed, "a library is missing on this host:" + line,
                        "apt-get install --fix-broken");
        const auto path = line.find('/');
        const auto end = line.find(" (0x");
        if (line.starts_with("\t") && path != std::string::npos && end != std::string::npos)
            libraries.insert(line.substr(path, end - path));
    }
    return libraries;
}

/// Packages with versions that own the libraries. Debian's lists have /lib/... and /usr/lib/... for one and
/// the same.
void name_owners(const std::set<std::string>& libraries, std::set<std::string>& packages) {
    std::vector<std::string> argv{"dpkg-query", "-S"};
    for (const auto& library : libraries) {
        argv.push_back(library);
        argv.push_back(library.starts_with("/usr/") ? library.substr(4) : "/usr" + library);
    }
    if (libraries.empty()) return;
    for (const auto& line : lines_of(run(argv, {.extra_env = {"LC_ALL=C"}}).out))
        if (auto colon = line.find(": "); colon != std::string::npos && !line.starts_with("diversion "))
            packages.insert(line.substr(0, line.find_first_of(":,")));
}

std::vector<std::string> versions_of(const std::set<std::string>& packages) {
    if (packages.empty()) return {};
    std::vector<std::string> argv{"dpkg-query", "-W", "-f", "${Package} ${Version}\n"};
    argv.insert(argv.end(), packages.begin(), packages.end());
    auto lines = lines_of(run_ok(argv));
    std::sort(lines.begin(), lines.end());
    lines.erase(std::unique(lines.begin(), lines.end()), lines.end());
    return lines;
}

void link_applets(Tree& tree) {
    // Not PID 1's business, nor a guest's.
    const std::set<std::string> unwanted{"busybox",  "init",   "linuxrc", "run-init", "halt",
                                         "poweroff", "reboot", "dpkg",    "dpkg-deb"};
    for (const auto& applet : lines_of(run_ok({"/bin/busybox", "--list"})))
        if (!unwanted.count(applet) && !tree.has("usr/bin/" + applet) && !tree.has("usr/sbin/" + applet))
            tree.symlink("busybox", "usr/bin/" + applet);
}

/// "libreadline8t64 | libreadline8"
std::vector<std::string> split_choice(std::string choice) {
    std::replace(choice.begin(), choice.end(), '|', ' ');
    std::istringstream words(choice);
    std::vector<std::string> names{std::istream_iterator<std::string>(words), {}};
    if (names.empty()) throw Error(ErrorKind::usage, "host-packages: a name is empty");
    return names;
}

bool is_installed(const std::string& package) {
    if (package.front() == '/') return exists(package);
    return run({"dpkg-query", "-W", "-f", "${db:Status-Status}", package}).out.starts_with("installed");
}

}  // namespace

std::vector<std::string> choose_host_packages(const std::vector<std::string>& wanted) {
    std::vector<std::string> chosen;
    std::string missing;
    for (const auto& choice : wanted) {
        auto names = split_choice(choice);
        auto there = std::find_if(names.begin(), names.end(), is_installed);
        if (there != names.end())
            chosen.push_back(*there);
        else
            missing += " " + names.back();
    }
    if (!missing.empty())
        throw Error(ErrorKind::failed, "not installed on this host:" + missing, "apt-get install" + missing);
    return chosen;
}

std::vector<std::string> add_host_packages(Tree& tree, const std::vector<std::string>& packages) {
    std::set<std::string> names;
    std::vector<std::string> files, programs;
    for (const auto& package : packages) {
        if (package.front() == '/') {
            files.push_back(package);
            continue;
        }
        names.insert(package);
        for (const auto& path : lines_of(run_ok({"dpkg-query", "-L", package}, {.extra_env = {"LC_ALL=C"}})))
            if (path.starts_with("/") && path != "/." && !is_left_out(path)) files.push_back(path);
    }
    for (const auto& file : files) {
        struct stat st {};
        if (::lstat(file.c_str(), &st) != 0) continue;  // left out by the host's own dpkg settings
        if (S_ISDIR(st.st_mode)) {
            tree.folder(file, st.st_mode & 01777);
            continue;
        }
        take_with_targets(tree, file);
        if (is_elf(file)) programs.push_back(file);
    }
    const auto libraries = libraries_of(programs);
    for (const auto& library : libraries) take_with_targets(tree, library);
    name_owners(libraries, names);
    if (names.count("busybox-static")) link_applets(tree);
    return versions_of(names);
}

}  // namespace clara
