// The disks of a domain that runs, held at one moment and served to us by its QEMU (libvirt's pull backup).
#pragma once
#include <functional>
#include <memory>
#include <string>
#include <vector>

#include "clara/drivers/libvirt/hypervisor.hpp"

namespace clara {

struct PullRequest {
    std::string domain;
    std::string socket;  ///< where it is served; its folder is made for QEMU alone
    struct Disk {
        std::string target;   ///< vda: name of its NBD export
        std::string file;     ///< its own file
        std::string scratch;  ///< takes what the guest overwrites meanwhile
    };
    std::vector<Disk> disks;
    std::string since;       ///< checkpoint from which on changes count; empty: no bitmap is served
    std::string checkpoint;  ///< made at the same moment; empty: none
};

/// Name of the bitmap in the exports.
inline constexpr const char* pull_bitmap = "clara";

class PullJob {
  public:
    using Connect = std::function<std::shared_ptr<Hypervisor>()>;

    /// Returns when the moment is fixed. One that a killed run has left is ended first; Error{busy} where the
    /// job under way is somebody else's. A checkpoint that is broken, or whose bitmaps are, is forgotten with
    /// all others of ours, and nothing counts from it: see since_lost().
    PullJob(const Connect& connect, PullRequest request);
    ~PullJob();  ///< ends it; trouble goes to log::warn
    PullJob(const PullJob&) = delete;
    PullJob& operator=(const PullJob&) = delete;

    /// Why there are no bitmaps although they were asked for; empty: there are.
    const std::string& since_lost() const { return since_lost_; }

    /// Ends it. Error where libvirt says that it has failed meanwhile: what was read is not to be trusted.
    void end();
    /// The checkpoint that was made goes again: the point is not to be counted from.
    void drop_checkpoint();

  private:
    void end_leftover();
    void begin();
    void forget_ours();
    void remove_files();

    Connect connect_;
    PullRequest request_;
    std::shared_ptr<Hypervisor> host_;
    std::string since_lost_;
    bool running_ = false, made_ = false;
};

/// Where a domain's disks are served while they are read.
std::string pull_socket(const std::string& run_dir, const std::string& domain);
/// The job that serves at that socket is ended; false where there is none.
bool end_pull(Hypervisor& host, const std::string& domain, const std::string& socket);

/// <domainbackup> and <domaincheckpoint>: https://libvirt.org/formatbackup.html, formatcheckpoint.html
std::string pull_xml(const PullRequest& request);
std::string checkpoint_xml(const PullRequest& request);

}  // namespace clara
