#include <fmt/format.h>

#include <algorithm>
#include <charconv>
#include <sstream>

#include "clara/base/files.hpp"
#include "clara/base/process.hpp"
#include "clara/drivers/disks/foreign.hpp"
#include "clara/drivers/disks/remote_ssh.hpp"

namespace clara {
namespace {

constexpr std::chrono::minutes size_wait{5};  // ssh itself gives up earlier where nobody answers
// Exit statuses of the size script.
constexpr int no_such_disk = 66, no_permission = 67, no_disk = 68;

bool only(const std::string& text, std::string_view others) {
    return !text.empty() && std::all_of(text.begin(), text.end(), [&](unsigned char c) {
        return std::isalnum(c) || others.find(static_cast<char>(c)) != std::string_view::npos;
    });
}

}  // namespace

std::vector<std::string> ssh_argv(const RemoteDisk& disk, const RemoteOptions& options,
                                  const std::string& script) {
    std::vector<std::string> argv{"setpriv", "--pdeathsig", "TERM", "ssh", "-T", "-x"};
    for (const char* option : {"BatchMode=yes", "StrictHostKeyChecking=yes", "ConnectTimeout=10",
                               "ServerAliveInterval=10", "ServerAliveCountMax=3"})
        argv.insert(argv.end(), {"-o", option});
    if (options.compress) argv.emplace_back("-C");
    argv.insert(argv.end(), options.ssh.begin(), options.ssh.end());
    // Root's shell over there may be csh; there are no single quotes in our scripts.
    argv.insert(argv.end(), {"-p", std::to_string(disk.port), "-l", disk.user, "--", disk.host,
                             "exec sh -c '" + script + "'"});
    return argv;
}

std::string fast_ciphers(const RemoteDisk& disk, const RemoteOptions& options) {
    const std::string processor = read_file("/proc/cpuinfo").value_or("");
    if (processor.find(" aes ") == std::string::npos) return {};
    std::vector<std::string> argv{"ssh", "-G"};
    argv.insert(argv.end(), options.ssh.begin(), options.ssh.end());
    argv.insert(argv.end(), {"-p", std::to_string(disk.port), "-l", disk.user, "--", disk.host});
    const RunResult told = run(argv, {.timeout = size_wait});
    const std::string key = "\nciphers ";
    const auto at = told.out.find(key);
    if (told.status != 0 || at == std::string::npos) return {};
    const auto begin = at + key.size();
    std::istringstream list(told.out.substr(begin, told.out.find('\n', begin) - begin));
    std::string fast, others;
    for (std::string cipher; std::getline(list, cipher, ',');)
        (cipher.find("-gcm") != std::string::npos ? fast : others) += "," + cipher;
    return fast.empty() ? "" : (fast + others).substr(1);
}

Error ssh_error(const RemoteDisk& disk, const std::string& said) {
    auto says = [&](const char* words) { return said.find(words) != std::string::npos; };
    if (says("IDENTIFICATION HAS CHANGED"))
        return {ErrorKind::refused, "the host key of " + disk.host + " has changed",
                "somebody may be in between; if it was set up anew: ssh-keygen -R " + disk.host};
    if (says("Host key verification failed") || says("host key is known"))
        return {ErrorKind::refused, "the host key of " + disk.host + " is not known here",
                "look at it once by hand: ssh " + disk.user + "@" + disk.host};
    if (says("Permission denied"))
        return {ErrorKind::refused, fmt::format("{} does not let {} in", disk.host, disk.user),
                "put our public key into its authorized_keys"};
    std::string line = said.substr(0, said.find('\n'));
    while (!line.empty() && line.back() == '\r') line.pop_back();
    return {ErrorKind::unreachable,
            fmt::format("no connection to {}: {}", disk.host, line.empty() ? "cut" : line),
            "look whether it is up and its sshd answers"};
}

std::string RemoteDisk::str() const {
    return fmt::format("ssh://{}@{}{}{}", user, host.find(':') == std::string::npos ? host : "[" + host + "]",
                       port == 22 ? "" : ":" + std::to_string(port), path);
}

RemoteDisk parse_remote_disk(const std::string& url) {
    auto wrong = [&](const std::string& why) {
        return Error(ErrorKind::usage, fmt::format("'{}' is no disk of another machine: {}", url, why),
                     "e.g. ssh://root@oldserver/dev/sda");
    };
    constexpr std::string_view scheme = "ssh://";
    if (!url.starts_with(scheme)) throw wrong("it does not begin with ssh://");
    const auto slash = url.find('/', scheme.size());
    if (slash == std::string::npos) throw wrong("it names no device");
    std::string authority = url.substr(scheme.size(), slash - scheme.size());
    RemoteDisk disk;
    disk.path = url.substr(slash);
    if (const auto at = authority.rfind('@'); at != std::string::npos) {
        disk.user = authority.substr(0, at);
        authority.erase(0, at + 1);
    }
    const auto bracket = authority.find(']');
    if (const auto colon = authority.rfind(':');
        colon != std::string::npos && (bracket == std::string::npos || colon > bracket)) {
        const std::string text = authority.substr(colon + 1);
        auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), disk.port);
        if (error != std::errc() || end != text.data() + text.size() || disk.port < 1 || disk.port > 65535)
            throw wrong("port '" + text + "'");
        authority.erase(colon);
    }
    disk.host = authority.starts_with('[') && authority.ends_with(']')
                    ? authority.substr(1, authority.size() - 2)
                    : authority;
    if (!only(disk.user, "._-") || disk.user[0] == '-') throw wrong("user '" + disk.user + "'");
    if (!only(disk.host, ".-:_%") || disk.host[0] == '-') throw wrong("host '" + disk.host + "'");
    // They go to a shell over there: none of these means anything to it.
    if (!only(disk.path, "/._-:+@=,")) throw wrong("a device's path has letters, digits and /._-:+@=, only");
    return disk;
}

std::uint64_t remote_disk_size(const RemoteDisk& disk, const RemoteOptions& options) {
    const std::string script = fmt::format(
        "p={}; [ -e \"$p\" ] || exit {}; [ -r \"$p\" ] || exit {}; "
        "if [ -b \"$p\" ]; then blockdev --getsize64 \"$p\" 2>/dev/null || "
        "{{ n=$(cat /sys/class/block/\"${{p##*/}}\"/size) && echo $((n * 512)); }}; "
        "elif [ -f \"$p\" ]; then wc -c <\"$p\"; else exit {}; fi",
        disk.path, no_such_disk, no_permission, no_disk);
    const RunResult result = run(ssh_argv(disk, options, script), {.timeout = size_wait});
    if (result.status == 255) throw ssh_error(disk, result.err);
    if (result.status == no_such_disk) throw Error(ErrorKind::refused, disk.str() + " is not there");
    if (result.status == no_permission)
        throw Error(ErrorKind::refused, disk.user + " may not read " + disk.str(), "log in as root");
    if (result.status == no_disk)
        throw Error(ErrorKind::refused, disk.str() + " is neither a device nor a file");
    std::uint64_t size = 0;
    const std::string text =
        result.out.substr(std::min(result.out.find_first_not_of(" \t"), result.out.size()));
    auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), size);
    if (result.status != 0 || error != std::errc() || end == text.data() || size == 0 || size > largest_disk)
        throw Error(ErrorKind::refused, fmt::format("{} does not tell its size: {}", disk.str(),
                                                    (result.out + result.err).substr(0, 200)));
    return size;
}

}  // namespace clara
