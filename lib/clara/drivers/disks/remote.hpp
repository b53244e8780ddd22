// Disks of other machines, read over ssh while they run. The other side needs sh and dd.
#pragma once
#include <cstdint>
#include <functional>
#include <string>
#include <vector>

namespace clara {

/// ssh://root@host[:port]/dev/sda
struct RemoteDisk {
    std::string user = "root";
    std::string host;
    int port = 22;
    std::string path;
    std::string str() const;
};

/// Error{usage} where it is none.
RemoteDisk parse_remote_disk(const std::string& url);

struct RemoteOptions {
    std::uint64_t rate = 0;  ///< bytes a second, 0: as fast as it goes
    bool compress = false;   ///< ssh -C: for slow lines
    std::function<void(std::uint64_t done, std::uint64_t size)> progress;  ///< bytes
    std::vector<std::string> ssh = {};  ///< further arguments for ssh, e.g. {"-F", "/etc/clara/ssh_config"}
};

/// Bytes. Error{unreachable} where the host is, {refused} where its key is unknown or has changed, where it
/// lets us not in, or the disk cannot be read.
std::uint64_t remote_disk_size(const RemoteDisk& disk, const RemoteOptions& options);

/// Copies it into the new qcow2 `target`, zeros left out, under a partial name beside it. A copy that was cut
/// goes on where it was when it is called again (what is copied is fsynced each 256 MiB; .NAME.partial.json
/// says how far it is). A source that runs changes meanwhile: the copy is as after a power cut, at best.
/// Error{unreachable} where it was cut, with how far it came; {failed} where the target is full (nothing is
/// left then) or the device ends early; {refused} where its size is not that of the copy that was begun.
void read_remote_disk(const RemoteDisk& disk, const std::string& target, const RemoteOptions& options);

}  // namespace clara
