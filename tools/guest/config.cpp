#include "config.hpp"

#include <arpa/inet.h>
#include <fcntl.h>

#include <cerrno>
#include <cstring>
#include <stdexcept>

#include "clara/base/handle.hpp"
#define JSON_NO_IO  // keeps iostreams, and their memory, out of PID 1
#include <nlohmann/json.hpp>

namespace guest {
namespace {

using Json = nlohmann::json;
constexpr std::size_t largest_config = 1 << 20;

std::string read_text(const std::string& path) {
    clara::Fd fd(::open(path.c_str(), O_RDONLY | O_CLOEXEC));
    if (!fd) throw std::runtime_error("cannot open it: " + std::string(std::strerror(errno)));
    std::string text;
    char buffer[4096];
    ssize_t got;
    while ((got = ::read(fd.get(), buffer, sizeof buffer)) > 0 && text.size() < largest_config)
        text.append(buffer, static_cast<std::size_t>(got));
    if (got != 0) throw std::runtime_error(got < 0 ? std::strerror(errno) : "it is larger than 1 MiB");
    return text;
}

template <class T>
void get(const Json& from, const char* key, T& to) {
    if (auto at = from.find(key); at != from.end()) to = at->get<T>();
}

Net parse_net(const std::string& text) {
    auto slash = text.find('/');
    int prefix = slash == std::string::npos ? 32 : std::atoi(text.c_str() + slash + 1);
    in_addr address{};
    if (::inet_pton(AF_INET, text.substr(0, slash).c_str(), &address) != 1 || prefix < 0 || prefix > 32)
        throw std::runtime_error("not an IPv4 network: " + text);
    std::uint32_t mask = prefix == 0 ? 0 : ~std::uint32_t{0} << (32 - prefix);
    return {ntohl(address.s_addr) & mask, mask};
}

User user(const Json& j) {
    User u;
    get(j, "name", u.name);
    get(j, "uid", u.uid);
    get(j, "home", u.home);
    get(j, "shell", u.shell);
    for (const std::string* field : {&u.name, &u.home, &u.shell})
        if (field->empty() || field->find_first_of(":\n") != std::string::npos)
            throw std::runtime_error("a user's name, home or shell is empty or holds a colon");
    return u;
}

Folder folder(const Json& j) {
    Folder f;
    get(j, "path", f.path);
    get(j, "user", f.user);
    get(j, "mode", f.mode);
    return f;
}

Service service(const Json& j) {
    Service s;
    get(j, "name", s.name);
    get(j, "argv", s.argv);
    get(j, "user", s.user);
    get(j, "cwd", s.cwd);
    get(j, "sockets", s.sockets);
    get(j, "procserv", s.procserv);
    get(j, "restart", s.restart);
    get(j, "stop_ms", s.stop_ms);
    get(j, "log_size", s.log_size);
    get(j, "log_keep", s.log_keep);
    if (j.contains("env"))
        for (const auto& [name, value] : j["env"].items())
            s.env.push_back(name + "=" + value.get<std::string>());
    if (s.name.empty() || s.name.find('/') != std::string::npos || s.argv.empty())
        throw std::runtime_error("a service needs a name without / and an argv");
    return s;
}

Relay relay(const Json& j) {
    Relay r;
    get(j, "port", r.port);
    get(j, "socket", r.socket);
    get(j, "read_only", r.read_only);
    get(j, "max", r.max);
    for (const auto& net : j.at("allow")) r.allow.push_back(parse_net(net.get<std::string>()));
    return r;
}

Listener listener(const Json& j) {
    Listener l;
    get(j, "port", l.port);
    get(j, "argv", l.argv);
    get(j, "max", l.max);
    get(j, "needs", l.needs);
    get(j, "make", l.make);
    if (l.argv.empty()) throw std::runtime_error("a listener needs an argv");
    return l;
}

Share share(const Json& j) {
    Share s;
    get(j, "tag", s.tag);
    get(j, "path", s.path);
    get(j, "read_only", s.read_only);
    return s;
}

DeviceName device(const Json& j) {
    DeviceName d;
    get(j, "device", d.device);
    get(j, "path", d.path);
    get(j, "user", d.user);
    get(j, "mode", d.mode);
    return d;
}

template <class T>
void list(const Json& from, const char* key, T (*parse)(const Json&), std::vector<T>& to) {
    if (auto at = from.find(key); at != from.end())
        for (const auto& item : *at) to.push_back(parse(item));
}

std::string dotted(std::uint32_t address) {
    const in_addr in{htonl(address)};
    char text[INET_ADDRSTRLEN] = "";
    ::inet_ntop(AF_INET, &in, text, sizeof text);
    return text;
}

Nic nic(const Json& j) {
    Nic n;
    std::string address;
    get(j, "mac", n.mac);
    get(j, "address", address);
    get(j, "gateway", n.gateway);
    const Net net = parse_net(address);
    n.address = address.substr(0, address.find('/'));
    n.netmask = dotted(net.mask);
    n.broadcast = dotted(net.address | ~net.mask);
    if (!n.gateway.empty()) parse_net(n.gateway);
    return n;
}

Machine machine(const Json& j) {
    Machine m;
    get(j, "hostname", m.hostname);
    get(j, "watchdog", m.watchdog);
    if (j.contains("nic")) m.nic = nic(j["nic"]);
    if (j.contains("console")) {
        get(j["console"], "port", m.console.port);
        get(j["console"], "socket", m.console.socket);
        if (m.console.port.empty() || m.console.port.find('/') != std::string::npos)
            throw std::runtime_error("the console's port needs a name without /");
    }
    list(j, "mounts", share, m.mounts);
    list(j, "devices", device, m.devices);
    return m;
}

}  // namespace

Config read_config(const std::string& path) {
    const Json root = Json::parse(read_text(path));
    Config config;
    if (root.contains("machine")) config.machine = machine(root["machine"]);
    get(root, "tmpfs", config.tmpfs);
    list(root, "folders", folder, config.folders);
    list(root, "users", user, config.users);
    list(root, "services", service, config.services);
    list(root, "relays", relay, config.relays);
    list(root, "listeners", listener, config.listeners);
    return config;
}

}  // namespace guest
