// A guest as the templates and flags resolve it: the in-memory form of guest.yaml.
#pragma once
#include <sys/types.h>

#include <cstdint>
#include <map>
#include <optional>
#include <string>
#include <vector>

#include "clara/base/net.hpp"
#include "clara/spec/keep.hpp"
#include "clara/spec/machine.hpp"

namespace clara {

struct Mount {
    std::string host;   ///< absolute path on the host, e.g. /srv/nfs/iocs
    std::string guest;  ///< absolute path inside
    bool read_only = true;
    bool optional = false;  ///< start without it when the host path is absent
};

struct Device {
    std::string host;   ///< e.g. /dev/ttyUSB0
    std::string guest;  ///< name inside, default the same
    std::string owner = "ioc";
    mode_t mode = 0660;
    std::string usb;  ///< instead of host, kvm only: VENDOR:PRODUCT as lsusb prints it, e.g. 0403:6001
};

/// A file written into the guest's disk at creation. Exactly one of source and content is used.
struct PlacedFile {
    std::string path;    ///< absolute, inside
    std::string source;  ///< absolute path on the host
    std::string content;
    std::string owner = "root";  ///< user name inside
    mode_t mode = 0644;
};

struct User {
    std::string name;
    uid_t uid = 0;
    std::string shell = "/bin/sh";
    std::vector<std::string> keys;  ///< ssh public keys, one line each
};

struct DbFile {
    std::string file;  ///< on the host: absolute path; copied to /opt/ioc/db/
    std::map<std::string, std::string> macros;
};

/// An EPICS IOC: either st_cmd (an existing start script at a path inside the guest) or db files from which
/// one is made.
struct Ioc {
    std::string st_cmd;      ///< path inside, e.g. /opt/iocs/magnets/iocBoot/st.cmd
    std::string executable;  ///< path inside of the IOC program, e.g. /usr/bin/softIoc
    std::string dbd;         ///< path inside; empty: the executable knows its own
    std::vector<std::string>
        paths;  ///< folders searched for modules' db files (EPICS_DB_INCLUDE_PATH), inside
    std::vector<DbFile> db;
    std::vector<std::string> before_init;  ///< iocsh lines before iocInit
    std::vector<std::string> after_init;   ///< iocsh lines after iocInit
    std::string user = "ioc";
    std::string autosave;              ///< folder inside, kept on the guest's own disk; empty: none
    std::vector<std::string> pvs;      ///< PVs that prove it runs; empty: taken from the db files
    bool pva = false;                  ///< serves PVAccess: UDP 5076 and TCP 5075 are proven too
    std::vector<std::string> pva_pvs;  ///< PVs that prove it over PVAccess; empty: those of Channel Access
    int holdoff_s = 2;                 ///< procServ's pause before it restarts the IOC, seconds
};

/// A daemon that is not an IOC.
struct Daemon {
    std::string name;
    std::vector<std::string> command;
    std::string user = "root";
    std::string cwd = "/";
    bool present() const { return !command.empty(); }
};

struct Nic {
    std::string network;  ///< name in site.yaml, e.g. "controls"
    std::string bridge;   ///< e.g. clarabr0
    Subnet subnet;        ///< the guest's address with the prefix, e.g. 10.87.0.11/24
    std::optional<Ipv4> gateway;
    Mac mac;
};

struct GuestSpec {
    std::string name;
    std::string kind = "lxc";  ///< lxc | kvm
    std::string template_name;
    std::string description;
    std::string owner;
    std::string pool;       ///< absolute path of the pool
    std::string origin;     ///< what it was copied from, e.g. ssh://root@build/dev/sda; empty: nothing
    std::string image;      ///< NAME@DIGEST as in POOL/images; empty with an installer, or for a full copy
    std::string installer;  ///< kvm only: ISO file on the host that installs it
    std::string init = "clara";  ///< clara | system (the image's own /sbin/init)
    Nic nic;
    std::optional<Machine> machine;  ///< kvm: always, lxc: never
    std::vector<ExtraDisk> disks;    ///< kvm only
    std::vector<ExtraNic> networks;  ///< kvm only
    std::optional<Ioc> ioc;
    Daemon daemon;
    std::map<std::string, std::string> environment;
    std::vector<Mount> mounts;
    std::vector<Device> devices;
    std::vector<PlacedFile> files;
    std::vector<User> users;
    std::vector<std::string> root_keys;  ///< ssh keys that may log in as root
    std::vector<Subnet> console_allow;   ///< who may reach 7001 and 7002; empty: the guest's own subnet
    std::vector<int> ports;              ///< TCP ports beyond the standard that are proven after a start
    std::uint64_t memory = 0;            ///< bytes, 0: no limit
    double cpus = 0;                     ///< 0: no limit
    std::uint64_t disk = 1ULL << 30;     ///< bytes
    bool autostart = false;
    int autostart_order = 100;  ///< lower starts earlier, as lxc.start.order
    int autostart_delay_s = 0;
    bool privileged = false;
    std::vector<std::string> capabilities;  ///< kept although dropped by default, e.g. net_raw
    std::vector<std::string> nameservers;
    std::vector<std::string> tags;  ///< words by which guests are chosen: --tag
    GuestBackup backup;
    std::string created;  ///< UTC, ISO 8601
};

/// The text of guest.yaml; read_guest() gives the same spec back.
std::string write_guest(const GuestSpec& spec);
/// Throws Error{usage} that names `where` and line of what is wrong.
GuestSpec read_guest(const std::string& yaml, const std::string& where);

}  // namespace clara
