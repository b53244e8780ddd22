// libvirt in our own words. The only code that calls it is in the folder module/, which is loaded when the
// first domain is asked for: tools that need no libvirt do not pay for it.
#pragma once
#include <chrono>
#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "clara/base/handle.hpp"

namespace clara {

struct DomainState {
    enum class Run { off, starting, running, paused, stopping };
    std::string name;
    Run run = Run::off;
    std::string why;  ///< what is out of the ordinary: "paused (I/O error)", "crashed"; else empty
    std::optional<double> cpu_s;  ///< CPU time used since its start, seconds
};

/// How a running domain is asked to end.
enum class StopRequest {
    polite,       ///< by its guest agent where there is one that answers, else by the power button
    power_button  ///< ACPI
};

/// The job that a domain is busy with, or the outcome of the last one.
struct JobState {
    enum class Phase { none, running, done, failed } phase = Phase::none;
    std::uint64_t done = 0, total = 0;  ///< bytes of disks
    std::string why;                    ///< of a failure, in libvirt's words; may be empty
};

/// One connection. Calls may come from several threads. Every failure is an Error with libvirt's own words;
/// Error{refused} where there is no such domain.
class Hypervisor {
  public:
    virtual ~Hypervisor() = default;
    virtual bool alive() = 0;  ///< false once the connection is lost
    virtual std::vector<DomainState> domains() = 0;
    virtual std::optional<DomainState> find(const std::string& name) = 0;
    virtual std::string xml(const std::string& name) = 0;  ///< as it is defined: what the next start takes
    virtual void define(const std::string& xml) = 0;       ///< new, or in place of the one with its UUID
    /// With what libvirt itself keeps of it (snapshot and checkpoint records, saved memory); NVRAM files
    /// stay.
    virtual void undefine(const std::string& name) = 0;
    virtual bool autostart(const std::string& name) = 0;  ///< it starts with the host
    virtual void set_autostart(const std::string& name, bool on) = 0;
    virtual void start(const std::string& name) = 0;                         ///< returns when it runs
    virtual void ask_to_stop(const std::string& name, StopRequest how) = 0;  ///< returns at once
    virtual void kill(const std::string& name) = 0;                          ///< returns when it is gone
    /// Its first serial console; Error{busy} where somebody has it, who is thrown out with `force`. The
    /// descriptor is a socket that can be polled; its end of file is the end of the domain or of libvirtd.
    virtual Fd open_console(const std::string& name, bool force) = 0;
    /// The virtio channel of that name, e.g. org.clara.console.0; as open_console.
    virtual Fd open_channel(const std::string& name, const std::string& channel, bool force) = 0;
    /// A command of the guest agent (JSON) and its answer.
    virtual std::string agent(const std::string& name, const std::string& command,
                              std::chrono::seconds timeout) = 0;

    /// Begins a backup job of a domain that runs; `xml` is a <domainbackup>. Returns when the moment of the
    /// copy is fixed.
    /// `checkpoint`, a <domaincheckpoint>, is made at the same moment; empty: none is.
    virtual void begin_backup(const std::string& name, const std::string& xml,
                              const std::string& checkpoint = {}) = 0;
    /// The <domainbackup> of the job that is under way; nullopt: none is.
    virtual std::optional<std::string> backup(const std::string& name) = 0;
    /// An outcome is told once.
    virtual JobState job(const std::string& name) = 0;
    virtual void abort_job(const std::string& name) = 0;  ///< of any kind; returns before it has ended

    /// Begins to copy what the disk stands on into it: virDomainBlockPull(). `rate` in bytes a second, 0: as
    /// fast as it goes. Nothing to do where such a job is under way.
    virtual void begin_pull(const std::string& name, const std::string& disk, std::uint64_t rate) = 0;
    /// Of the disk; nullopt: none is under way, it has ended.
    virtual std::optional<JobState> disk_job(const std::string& name, const std::string& disk) = 0;

    // --- snapshots of running domains
    /// A command of QEMU's own monitor (JSON, QMP) and what it returned; Error with QEMU's words.
    virtual std::string monitor(const std::string& name, const std::string& command) = 0;
    /// The memory and all disks that `xml` (a <domainsnapshot>) names; the domain stands still meanwhile.
    /// What libvirt has to know of it later is returned, not kept: a domain with snapshots cannot be
    /// migrated.
    virtual std::string keep_memory(const std::string& name, const std::string& xml) = 0;
    /// Starts a domain that does not run from what keep_memory() returned.
    virtual void wake(const std::string& name, const std::string& xml) = 0;
    /// libvirt's records of snapshots whose names begin so, and of all checkpoints; the disks are not
    /// touched.
    virtual void forget_snapshots(const std::string& name, const std::string& prefix) = 0;
    virtual void forget_checkpoints(const std::string& name) = 0;
    /// Names of a domain's checkpoints, the oldest first.
    virtual std::vector<std::string> checkpoints(const std::string& name) = 0;
    /// Of a domain that runs, with its bitmaps; what the next newer one counts includes it from then on.
    virtual void delete_checkpoint(const std::string& name, const std::string& checkpoint) = 0;
};

enum class Access { read, change };  ///< planning reads only; `read` needs no root

struct HypervisorOptions {
    std::chrono::milliseconds answer_limit{10000};    ///< for one call that needs no more than a look
    std::chrono::milliseconds work_limit{120000};     ///< for a start, a kill or a definition
    std::chrono::milliseconds memory_limit{3600000};  ///< for a machine's memory on its way to or from a disk
};

/// Connects. A libvirtd that hangs costs the time limits above: the call is given up with Error{failed}, and
/// all further ones of that connection at once. Error{refused} with the way out where libvirt is not
/// installed or does not run.
std::shared_ptr<Hypervisor> open_hypervisor(const std::string& uri, Access access,
                                            const HypervisorOptions& options = {});

/// What the module exports; called through dlsym(3) by open_hypervisor() alone.
using HypervisorEntry = Hypervisor*(const std::string& uri, Access access);
inline constexpr const char* hypervisor_module = "clara-libvirt.so";
inline constexpr const char* hypervisor_entry = "clara_open_hypervisor";

}  // namespace clara
