// Disks that stand on a restore point become whole.
#include <fmt/format.h>

#include <algorithm>
#include <thread>

#include "clara/base/error.hpp"
#include "clara/base/interrupt.hpp"
#include "clara/base/log.hpp"
#include "clara/drivers/disks/chain.hpp"
#include "clara/drivers/disks/inner_snapshots.hpp"
#include "clara/drivers/disks/qemu_img.hpp"
#include "clara/drivers/libvirt/driver.hpp"
#include "clara/drivers/libvirt/ours.hpp"
#include "clara/drivers/storage/layout.hpp"
#include "clara/ops/domain_read.hpp"

namespace clara {
namespace {

using namespace std::chrono_literals;

constexpr auto pause = 100ms;  // between two looks at the job
constexpr std::chrono::hours copy_limit{24};

bool stands_on(const std::string& disk, const std::string& store) {
    const auto chain = disk_chain(disk, "qcow2");
    return std::any_of(chain.begin() + 1, chain.end(), [&](const ChainLink& link) {
        return link.path.starts_with(pool::backups(store) + "/");
    });
}

std::string target_of(Hypervisor& host, const std::string& guest, const std::string& file) {
    for (const auto& disk : read_domain(host.xml(guest), guest).disks)
        if (disk.source == file) return disk.target;
    throw Error(ErrorKind::refused, file + " is no disk of the domain " + guest,
                "attach it, or take it out of the guest's folder");
}

void pull(Hypervisor& host, const AbsorbPoint& a, const std::string& file) {
    const std::string target = target_of(host, a.name, file);
    host.begin_pull(a.name, target, a.rate);
    // A signal ends the wait; the job itself goes on, and the next one who asks finds it.
    while (const auto job = host.disk_job(a.name, target)) {
        log::status(fmt::format("{} runs, its disk {} is copied meanwhile: {} %", a.name, target,
                                job->total ? job->done * 100 / job->total : 0));
        throw_if_interrupted();
        std::this_thread::sleep_for(pause);
    }
}

void copy_in(const std::string& file) {
    RunOptions options;
    options.timeout = copy_limit;
    run_qemu_img({"rebase", "-f", "qcow2", "-b", "", file}, Trust::ours, options);
}

}  // namespace

void LibvirtDriver::absorb(const AbsorbPoint& a) {
    auto host = connect(a.home);
    refuse_foreign(*host, a.name, &a.pool);
    const bool on = runs(host->find(a.name));
    for (const auto& file : vm_disks(a.pool, a.name)) {
        if (!stands_on(file, a.store)) continue;
        on ? pull(*host, a, file) : copy_in(file);
        if (stands_on(file, a.store))
            throw Error(
                ErrorKind::failed, file + " still stands on its restore point",
                "more may be in /var/log/libvirt/qemu/" + a.name + ".log; run the same command again");
    }
}

}  // namespace clara
