#include "clara/drivers/libvirt/backup.hpp"

#include <fmt/format.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <filesystem>
#include <thread>

#include "clara/base/error.hpp"
#include "clara/base/interrupt.hpp"
#include "clara/base/lock.hpp"
#include "clara/base/log.hpp"
#include "clara/base/xml.hpp"
#include "clara/drivers/disks/qcow2_header.hpp"
#include "clara/drivers/disks/qemu_img.hpp"
#include "clara/drivers/disks/room.hpp"
#include "clara/drivers/storage/layout.hpp"

namespace clara {
namespace {

using namespace std::chrono_literals;
namespace fs = std::filesystem;
using Phase = JobState::Phase;

constexpr auto shortest_pause = 10ms, longest_pause = 250ms;  // between two looks at the job
constexpr auto end_limit = 60s;                               // for a job that was told to end

/// "NAME" of POOL/guests/.NAME.partial/FILE; empty for other paths.
std::string made_for(const std::string& file, const std::string& pool) {
    const fs::path folder = fs::path(file).parent_path();
    const std::string name = folder.filename().string();
    constexpr std::string_view suffix = ".partial";
    if (folder.parent_path() != pool::guests(pool) || !name.starts_with('.') || !name.ends_with(suffix))
        return {};
    return name.substr(1, name.size() - 1 - suffix.size());
}

class BackupJob {
  public:
    BackupJob(const CopyDisks& copy, const std::function<std::shared_ptr<Hypervisor>()>& connect)
        : copy_(copy), connect_(connect), folder_(pool::guest(copy.pool, pool::partial(copy.name))) {}

    void run() {
        host_ = connect_();
        const auto domain = host_->find(copy_.domain);
        if (!domain) throw Error(ErrorKind::refused, "libvirt knows no domain " + copy_.domain);
        if (domain->run == DomainState::Run::off) throw StaleFacts(copy_.domain + " has stopped meanwhile");
        end_leftover();
        try {
            host_->begin_backup(copy_.domain, backup_xml(copy_, folder_));
            await();
            for (const auto& disk : copy_.disks) check(folder_ + "/" + disk.file);
        } catch (Error& e) {
            throw cleaned_up(e);
        }
    }

  private:
    /// A run that was killed leaves its job behind. Somebody else's is not touched.
    void end_leftover() {
        const JobState job = host_->job(copy_.domain);  // forgets the outcome of an earlier one, too
        if (job.phase != Phase::running) return;
        const auto xml = host_->backup(copy_.domain);
        const std::string name = xml ? made_for(backup_target(*xml), copy_.pool) : "";
        const Error busy(ErrorKind::busy,
                         copy_.domain + (xml ? " is being backed up by another program"
                                             : " has another job under way, e.g. a migration"),
                         "wait for it to end: virsh domjobinfo " + copy_.domain);
        if (name.empty()) throw busy;
        // Our own name's lock is ours: who had it before us is dead.
        if (name != copy_.name)
            if (auto holder = NamedLock::holder(pool::lock(copy_.pool, name)))
                throw Error(ErrorKind::busy,
                            fmt::format("{} is being copied for {}: {}", copy_.domain, name, *holder),
                            "wait for it to end");
        log::debug("{}: ending the copy that a killed run has left, for {}", copy_.domain, name);
        end_job();
    }

    void await() {
        const int before = interrupted();
        for (auto pause = shortest_pause;;
             pause = std::min<std::chrono::milliseconds>(2 * pause, longest_pause)) {
            std::this_thread::sleep_for(pause);
            if (interrupted() != before) throw_if_interrupted();
            const JobState job = look();
            if (job.phase == Phase::running) {
                tell(job);
                continue;
            }
            if (job.phase == Phase::done) return;
            const bool full = job.why.find("No space left") != std::string::npos;
            if (full) throw ran_out_of_room(folder_, job.total - std::min(job.total, job.done), "the copy");
            throw Error(ErrorKind::failed,
                        job.why.empty() ? "libvirt ended the copy and does not say why" : job.why,
                        "more may be in /var/log/libvirt/qemu/" + copy_.domain + ".log");
        }
    }

    /// A libvirtd that is started anew finds the job still running.
    JobState look() {
        for (;;) {
            try {
                return host_->job(copy_.domain);
            } catch (const Error& e) {
                if (e.kind() == ErrorKind::interrupted || e.kind() == ErrorKind::terminated || host_->alive())
                    throw;
                log::debug("{}; trying again", e.what());
            }
            lost_ = true;
            host_ = connect_();
            lost_ = false;
        }
    }

    void tell(const JobState& job) {
        if (job.total == 0) return;
        const auto percent = static_cast<int>(job.done * 100 / job.total);
        if (percent == told_) return;
        told_ = percent;
        log::status(fmt::format("copying {}, which runs on: {} %", copy_.from, percent));
    }

    /// What becomes the guest's disk has to be whole and to stand on nothing.
    static void check(const std::string& file) {
        if (!read_qcow2_header(file).backing.empty())
            throw Error(ErrorKind::failed, file + " is no whole copy: it stands on another file");
        check_disk(file, "qcow2");
    }

    void end_job() {
        host_->abort_job(copy_.domain);
        const auto deadline = std::chrono::steady_clock::now() + end_limit;
        while (host_->job(copy_.domain).phase == Phase::running) {
            if (std::chrono::steady_clock::now() >= deadline)
                throw Error(ErrorKind::busy, "libvirt does not end the copy of " + copy_.domain,
                            "look at it: virsh domjobinfo " + copy_.domain);
            std::this_thread::sleep_for(longest_pause);
        }
    }

    /// The files go even where libvirtd is gone: QEMU writes on into what has no name then, and libvirtd ends
    /// it when it is back.
    Error cleaned_up(const Error& e) {
        std::string trouble;
        try {
            if (lost_) throw Error(ErrorKind::failed, "the connection to libvirt is lost");
            if (!host_->alive()) host_ = connect_();
            if (const auto xml = host_->backup(copy_.domain);
                xml && made_for(backup_target(*xml), copy_.pool) == copy_.name)
                end_job();
        } catch (const Error& other) {
            trouble = "; its job could not be ended: " + other.message();
        }
        for (const auto& disk : copy_.disks) {
            const std::string file = folder_ + "/" + disk.file;
            if (::unlink(file.c_str()) != 0 && errno != ENOENT)
                trouble += "; " + system_error("cannot remove " + file, errno).message();
        }
        if (trouble.empty()) return e;
        return {lost_ ? ErrorKind::failed : e.kind(), e.message() + trouble,
                fmt::format("{} itself runs on. When libvirtd is up (systemctl status libvirtd): virsh "
                            "domjobabort {}, then run it again",
                            copy_.domain, copy_.domain)};
    }

    const CopyDisks& copy_;
    const std::function<std::shared_ptr<Hypervisor>()>& connect_;
    const std::string folder_;
    std::shared_ptr<Hypervisor> host_;
    bool lost_ = false;  ///< libvirtd went away and did not come back
    int told_ = -1;
};

}  // namespace

std::string backup_xml(const CopyDisks& copy, const std::string& folder) {
    const XmlDocument document = XmlDocument::make("domainbackup");
    document.root().set("mode", "push");
    const XmlElement disks = document.root().add("disks");
    for (const auto& copied : copy.disks) {  // those that are not named are left out
        const XmlElement disk = disks.add("disk");
        disk.set("name", copied.target).set("type", "file").set("backup", "yes");
        disk.add("driver").set("type", "qcow2");
        disk.add("target").set("file", folder + "/" + copied.file);
    }
    return document.indented_text();
}

std::string backup_target(const std::string& xml) {
    const XmlDocument document = XmlDocument::parse(xml, "libvirt's backup job");
    for (const auto& disk : document.root().find("disks").all("disk"))
        if (const auto target = disk.find("target"); target && target.has("file")) return target.get("file");
    return {};
}

void copy_running_disks(const CopyDisks& copy, const std::function<std::shared_ptr<Hypervisor>()>& connect) {
    if (copy.rate > 0)
        throw Error(ErrorKind::usage, "libvirt cannot limit the copy of a domain that runs",
                    "leave out --bwlimit, or stop it first");
    BackupJob(copy, connect).run();
}

}  // namespace clara
