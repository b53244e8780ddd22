#include "clara/drivers/epics/extra_servers.hpp"

#include <dirent.h>
#include <fmt/format.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cctype>
#include <charconv>
#include <cstdlib>
#include <map>
#include <memory>
#include <optional>
#include <sstream>

#include "clara/base/error.hpp"
#include "clara/base/files.hpp"

namespace clara {
namespace {

constexpr int listening = 10;  // TCP_LISTEN in include/net/tcp_states.h

/// The inode that names a namespace; 0 where the process is gone.
std::uint64_t pid_space(int pid) {
    struct stat st {};
    return ::stat(fmt::format("/proc/{}/ns/pid", pid).c_str(), &st) == 0 ? st.st_ino : 0;
}

/// Inodes of the sockets that a process holds; none where it is gone.
std::set<std::uint64_t> sockets_of(int pid) {
    std::set<std::uint64_t> found;
    Handle<DIR, ::closedir> dir(::opendir(fmt::format("/proc/{}/fd", pid).c_str()));
    if (!dir) return found;
    while (dirent* entry = ::readdir(dir.get())) {
        char target[64];  // "socket:[12345]"
        ssize_t size = ::readlinkat(::dirfd(dir.get()), entry->d_name, target, sizeof target - 1);
        if (size <= 0) continue;
        target[size] = '\0';
        if (std::string_view(target).starts_with("socket:["))
            found.insert(std::strtoull(target + 8, nullptr, 10));
    }
    return found;
}

std::string program_name(int pid) {
    std::string name = read_file(fmt::format("/proc/{}/comm", pid), 64).value_or("");
    std::erase_if(name, [](unsigned char c) { return !std::isprint(c); });
    return name.empty() ? "a program" : name;
}

std::string table_of(int pid, const char* name) {
    return read_file(fmt::format("/proc/{}/net/{}", pid, name)).value_or("");
}

}  // namespace

std::string ServerProcess::str() const {
    std::string ports;
    for (std::uint16_t port : tcp) ports += fmt::format("{}{}", ports.empty() ? " on TCP " : ", ", port);
    return fmt::format("{} (pid {}){}", name, pid, ports);
}

std::vector<std::pair<std::uint64_t, std::uint16_t>> sockets_in(const std::string& table, int state) {
    // proc(5): "sl: local_address rem_address st tx:rx tr:when retrnsmt uid timeout inode", hexadecimal
    std::vector<std::pair<std::uint64_t, std::uint16_t>> found;
    std::istringstream lines(table);
    std::string line;
    std::getline(lines, line);
    while (std::getline(lines, line)) {
        std::istringstream words(line);
        std::string sl, local, remote, st, queues, timer, retransmits, uid, timeout;
        std::uint64_t inode = 0;
        if (!(words >> sl >> local >> remote >> st >> queues >> timer >> retransmits >> uid >> timeout >>
              inode))
            continue;
        auto colon = local.rfind(':');
        if (colon == std::string::npos) continue;
        if (state >= 0 && std::strtol(st.c_str(), nullptr, 16) != state) continue;
        auto port = std::strtoul(local.c_str() + colon + 1, nullptr, 16);
        found.emplace_back(inode, static_cast<std::uint16_t>(port));
    }
    return found;
}

std::vector<ServerProcess> extra_servers(int init, std::uint16_t udp, std::uint16_t tcp) {
    std::set<std::uint64_t> searches;
    for (auto [inode, port] : sockets_in(table_of(init, "udp"), -1))
        if (port == udp) searches.insert(inode);
    std::vector<ServerProcess> extra;
    if (searches.size() < 2) return extra;  // one server: no need to look at processes
    std::map<std::uint64_t, std::uint16_t> listeners;
    for (const char* name : {"tcp", "tcp6"})
        for (auto [inode, port] : sockets_in(table_of(init, name), listening)) listeners[inode] = port;
    const std::uint64_t space = pid_space(init);
    for (const std::string& entry : list_dir("/proc")) {
        int pid = 0;
        auto [end, error] = std::from_chars(entry.data(), entry.data() + entry.size(), pid);
        if (error != std::errc() || *end != '\0' || space == 0 || pid_space(pid) != space) continue;
        ServerProcess process{pid, {}, {}};
        bool hears = false;
        for (std::uint64_t inode : sockets_of(pid)) {
            hears = hears || searches.count(inode);
            if (auto it = listeners.find(inode); it != listeners.end()) process.tcp.insert(it->second);
        }
        if (!hears || process.tcp.empty() || process.tcp.count(tcp)) continue;
        process.name = program_name(pid);
        extra.push_back(std::move(process));
    }
    return extra;
}

}  // namespace clara
