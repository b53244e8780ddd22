// Backup jobs.
#include "clara/drivers/libvirt/module/api.hpp"

namespace clara::libvirt {
namespace {

JobState::Phase phase_of(int job_type) {
    using Phase = JobState::Phase;
    switch (job_type) {
        case VIR_DOMAIN_JOB_BOUNDED:
        case VIR_DOMAIN_JOB_UNBOUNDED:
            return Phase::running;
        case VIR_DOMAIN_JOB_COMPLETED:
            return Phase::done;
        case VIR_DOMAIN_JOB_FAILED:
        case VIR_DOMAIN_JOB_CANCELLED:
            return Phase::failed;
        default:
            return Phase::none;
    }
}

/// What libvirt tells of a job.
struct JobParams {
    virTypedParameterPtr list = nullptr;
    int count = 0;
    JobParams() = default;
    JobParams(const JobParams&) = delete;
    JobParams& operator=(const JobParams&) = delete;
    ~JobParams() { ::virTypedParamsFree(list, count); }
};

/// With VIR_DOMAIN_JOB_STATS_COMPLETED: the last one.
JobState job_of(virConnectPtr connection, virDomainPtr domain, const std::string& name, unsigned flags) {
    int type = VIR_DOMAIN_JOB_NONE;
    JobParams params;
    if (::virDomainGetJobStats(domain, &type, &params.list, &params.count, flags) != 0) {
        Error error = last_error("cannot ask for the job of " + name, connection);
        // Between a backup's begin and the moment that libvirt has all of it (src/qemu/qemu_backup.c).
        if (error.message().find("backup job data missing") != std::string::npos)
            return {.phase = JobState::Phase::running};
        if (::virDomainIsActive(domain) != 0) throw error;
        return {.phase = JobState::Phase::failed, .why = name + " has stopped meanwhile"};
    }
    JobState job;
    unsigned long long bytes = 0;
    if (::virTypedParamsGetULLong(params.list, params.count, VIR_DOMAIN_JOB_DISK_TOTAL, &bytes) == 1)
        job.total = bytes;
    if (::virTypedParamsGetULLong(params.list, params.count, VIR_DOMAIN_JOB_DISK_PROCESSED, &bytes) == 1)
        job.done = bytes;
    const char* why = nullptr;
    if (::virTypedParamsGetString(params.list, params.count, VIR_DOMAIN_JOB_ERRMSG, &why) == 1) job.why = why;
    job.phase = phase_of(type);
    return job;
}

}  // namespace

void begin_backup(virConnectPtr connection, const std::string& name, const std::string& xml,
                  const std::string& checkpoint) {
    if (::virDomainBackupBegin(find_domain(connection, name).get(), xml.c_str(),
                               checkpoint.empty() ? nullptr : checkpoint.c_str(), 0) != 0)
        throw last_error("libvirt does not copy the disks of " + name, connection);
}

std::optional<std::string> backup(virConnectPtr connection, const std::string& name) {
    const Domain domain = find_domain(connection, name);
    const Text text(::virDomainBackupGetXMLDesc(domain.get(), 0));
    if (text) return text.get();
    const virError* error = ::virGetLastError();
    if (error && (error->code == VIR_ERR_NO_DOMAIN_BACKUP || error->code == VIR_ERR_OPERATION_INVALID))
        return std::nullopt;
    throw last_error("cannot ask for the backup job of " + name, connection);
}

JobState job(virConnectPtr connection, const std::string& name) {
    const Domain domain = find_domain(connection, name);
    if (JobState now = job_of(connection, domain.get(), name, 0); now.phase != JobState::Phase::none)
        return now;
    return job_of(connection, domain.get(), name, VIR_DOMAIN_JOB_STATS_COMPLETED);
}

void begin_pull(virConnectPtr connection, const std::string& name, const std::string& disk,
                std::uint64_t rate) {
    if (disk_job(connection, name, disk)) return;
    const Domain domain = find_domain(connection, name);
    if (::virDomainBlockPull(domain.get(), disk.c_str(), rate,
                             rate ? VIR_DOMAIN_BLOCK_PULL_BANDWIDTH_BYTES : 0) != 0)
        throw last_error("disk " + disk + " of " + name + " cannot take over what it stands on", connection);
}

std::optional<JobState> disk_job(virConnectPtr connection, const std::string& name, const std::string& disk) {
    virDomainBlockJobInfo info{};
    const int found = ::virDomainGetBlockJobInfo(find_domain(connection, name).get(), disk.c_str(), &info, 0);
    if (found < 0) throw last_error("cannot ask for the job of disk " + disk + " of " + name, connection);
    if (found == 0) return std::nullopt;
    return JobState{JobState::Phase::running, info.cur, info.end, {}};
}

void abort_job(virConnectPtr connection, const std::string& name) {
    if (::virDomainAbortJob(find_domain(connection, name).get()) != 0)
        throw last_error("cannot end the job of " + name, connection);
}

}  // namespace clara::libvirt
