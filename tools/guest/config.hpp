// What /etc/clara/init.json says (docs/guest-init.md). Written by clara-ioc-create, read at every boot.
#pragma once
#include <sys/types.h>

#include <cstdint>
#include <string>
#include <vector>

namespace guest {

struct User {
    std::string name;
    uid_t uid = 0;
    std::string home = "/";
    std::string shell = "/bin/sh";
};

struct Folder {
    std::string path;
    std::string user = "root";
    mode_t mode = 0755;
};

struct Service {
    std::string name;
    std::vector<std::string> argv;
    std::string user = "root";
    std::string cwd = "/";
    std::vector<std::string> env;      ///< "KEY=value"
    std::vector<std::string> sockets;  ///< unlinked before each start: a killed procServ leaves them behind
    std::string procserv;  ///< its console socket: stopped by procServ's own protocol; empty: SIGTERM
    bool restart = true;
    int stop_ms = 5000;              ///< between SIGTERM and SIGKILL
    std::size_t log_size = 1 << 20;  ///< bytes, then the log is rotated
    int log_keep = 4;                ///< rotated logs kept
};

/// An IPv4 network, host byte order.
struct Net {
    std::uint32_t address = 0, mask = 0;
};

/// TCP port to unix socket.
struct Relay {
    int port = 0;
    std::string socket;
    std::vector<Net> allow;
    bool read_only = false;
    int max = 32;  ///< connections at once
};

/// TCP port to a program per connection, as inetd does.
struct Listener {
    int port = 0;
    std::vector<std::string> argv;
    int max = 32;
    std::string needs;              ///< the port opens when this file is there ...
    std::vector<std::string> make;  ///< ... which this program makes as NEEDS.new where it is missing
};

/// A card that is found by its MAC.
struct Nic {
    std::string mac;                                   ///< empty: none to be set up
    std::string address, netmask, broadcast, gateway;  ///< dotted; gateway may be empty
};

/// A virtio port of the host, and the unix socket it is carried to.
struct HostPort {
    std::string port;  ///< its name, e.g. org.clara.console.0; empty: none
    std::string socket;
};

/// A folder of the host (virtiofs).
struct Share {
    std::string tag, path;
    bool read_only = false;
};

/// A device under the name, owner and mode that the guest's programs expect.
struct DeviceName {
    std::string device, path;
    std::string user = "root";
    mode_t mode = 0660;
};

/// What only a virtual machine has to be told; a container gets it from its host.
struct Machine {
    std::string hostname;
    Nic nic;
    HostPort console;
    std::vector<Share> mounts;
    std::vector<DeviceName> devices;
    bool watchdog = false;
};

struct Config {
    Machine machine;
    std::vector<std::string> tmpfs;  ///< mounted where there is none yet
    std::vector<Folder> folders;
    std::vector<User> users;
    std::vector<Service> services;
    std::vector<Relay> relays;
    std::vector<Listener> listeners;
};

/// Throws std::runtime_error that says what is wrong.
Config read_config(const std::string& path);

}  // namespace guest
