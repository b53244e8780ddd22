// A disk's blocks as plain files, whatever its format: qemu-storage-daemon exports them through FUSE.
#pragma once
#include <sys/types.h>

#include <chrono>
#include <string>

#include "clara/base/handle.hpp"
#include "clara/drivers/disks/chain.hpp"
#include "clara/ops/volumes.hpp"

namespace clara {

/// The daemon has a mount namespace of its own, reached through /proc/PID/root, and dies with the thread that
/// made this: even a SIGKILL leaves no process, mount or socket. It holds QEMU's locks on the disk meanwhile.
/// Nothing is fsynced here; what was written is in the file when close() has returned.
class DiskExport {
  public:
    /// Error{busy} where the disk is in use, {refused} where its format or chain is not as it should be.
    DiskExport(const std::string& file, const std::string& format);
    /// Of a chain that need not be written in the files' headers.
    explicit DiskExport(const std::vector<ChainLink>& chain);
    /// `part` of it alone, as if that were the disk.
    DiskExport(const std::vector<ChainLink>& chain, const Volume& part);
    ~DiskExport();
    DiskExport(const DiskExport&) = delete;
    DiskExport& operator=(const DiskExport&) = delete;

    /// Path of the disk as a plain file, for reading and writing.
    std::string path() const;

    /// For one that lives long: its namespace lets go of the mounts of the host, which would stay busy with
    /// it. Who wants the disk has opened path() before.
    void leave_host();

    /// Ends the daemon at once, where nobody wants what was written.
    void abandon() { reap(); }

    /// Ends the daemon in order; everything that has a file open must have closed it.
    void close();

  private:
    DiskExport(const std::vector<ChainLink>& chain, const Volume* part);
    void start(const std::string& chain_json);
    void command(const std::string& json, const std::string& what);
    std::string line(std::chrono::milliseconds wait);
    std::string complaint() const;
    bool ended(std::chrono::milliseconds wait) const;
    int reap();

    std::string file_;
    pid_t pid_ = -1;
    Fd pidfd_, to_, from_, errors_;
    std::string unread_;
};

}  // namespace clara
