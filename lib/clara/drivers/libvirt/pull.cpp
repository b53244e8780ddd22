#include "clara/drivers/libvirt/pull.hpp"

#include <fmt/format.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <chrono>
#include <filesystem>
#include <thread>

#include "clara/base/error.hpp"
#include "clara/base/files.hpp"
#include "clara/base/log.hpp"
#include "clara/base/xml.hpp"
#include "clara/drivers/libvirt/block_nodes.hpp"
#include "clara/spec/point.hpp"

namespace clara {
namespace {

using namespace std::chrono_literals;
constexpr auto first_pause = 1ms, longest_pause = 50ms;  // between two looks at a job that ends
constexpr auto end_limit = 60s;                          // for a job that was told to end

void unlink_if_there(const std::string& file) {
    if (::unlink(file.c_str()) != 0 && errno != ENOENT) throw system_error("cannot remove " + file, errno);
}

/// QEMU may run as a user of its own, who has the disks while it runs: the folder of the socket is his alone.
void make_socket_folder(const std::string& socket, const std::string& disk) {
    const std::string folder = std::filesystem::path(socket).parent_path();
    make_dirs(folder, 0700);
    struct stat st {};
    if (::stat(disk.c_str(), &st) != 0) throw system_error("cannot examine " + disk, errno);
    if (::lchown(folder.c_str(), st.st_uid, st.st_gid) != 0)
        throw system_error("cannot hand " + folder + " to QEMU", errno);
    unlink_if_there(socket);
}

std::string served_at(const std::string& xml) {
    const XmlDocument document = XmlDocument::parse(xml, "libvirt's backup job");
    const auto server = document.root().find("server");
    return server && server.has("socket") ? server.get("socket") : "";
}

void await_end(Hypervisor& host, const std::string& domain) {
    const auto deadline = std::chrono::steady_clock::now() + end_limit;
    for (auto pause = first_pause; host.backup(domain); pause = std::min(2 * pause, longest_pause)) {
        if (std::chrono::steady_clock::now() >= deadline)
            throw Error(ErrorKind::busy, "libvirt does not end the backup of " + domain,
                        "look at it: virsh domjobinfo " + domain);
        std::this_thread::sleep_for(pause);
    }
}

}  // namespace

std::string pull_xml(const PullRequest& request) {
    const XmlDocument document = XmlDocument::make("domainbackup");
    document.root().set("mode", "pull");
    if (!request.since.empty()) document.root().add("incremental", request.since);
    document.root().add("server").set("transport", "unix").set("socket", request.socket);
    const XmlElement disks = document.root().add("disks");
    for (const auto& wanted : request.disks) {
        const XmlElement disk = disks.add("disk");
        disk.set("name", wanted.target).set("type", "file").set("backup", "yes");
        disk.set("exportname", wanted.target);
        if (!request.since.empty()) disk.set("exportbitmap", pull_bitmap);
        disk.add("driver").set("type", "qcow2");
        disk.add("scratch").set("file", wanted.scratch);
    }
    return document.indented_text();
}

std::string checkpoint_xml(const PullRequest& request) {
    const XmlDocument document = XmlDocument::make("domaincheckpoint");
    document.root().add("name", request.checkpoint);
    const XmlElement disks = document.root().add("disks");
    for (const auto& disk : request.disks)
        disks.add("disk").set("name", disk.target).set("checkpoint", "bitmap");
    return document.indented_text();
}

std::string pull_socket(const std::string& run_dir, const std::string& domain) {
    return run_dir + "/nbd/" + domain + "/socket";
}

bool end_pull(Hypervisor& host, const std::string& domain, const std::string& socket) {
    const auto xml = host.backup(domain);
    if (!xml || served_at(*xml) != socket) return false;
    host.abort_job(domain);
    await_end(host, domain);
    return true;
}

PullJob::PullJob(const Connect& connect, PullRequest request)
    : connect_(connect), request_(std::move(request)), host_(connect_()) {
    const auto domain = host_->find(request_.domain);
    if (!domain) throw Error(ErrorKind::refused, "libvirt knows no domain " + request_.domain);
    if (domain->run == DomainState::Run::off) throw StaleFacts(request_.domain + " has stopped meanwhile");
    end_leftover();
    remove_files();
    make_socket_folder(request_.socket, request_.disks.front().file);
    begin();
    running_ = true;
    made_ = !request_.checkpoint.empty();
}

PullJob::~PullJob() {
    try {
        end();
    } catch (const std::exception& e) {
        log::warn("{}: its backup job could not be ended: {}", request_.domain, e.what());
    }
}

void PullJob::end_leftover() {
    const auto xml = host_->backup(request_.domain);
    if (!xml) return;
    if (served_at(*xml) != request_.socket)
        throw Error(ErrorKind::busy, request_.domain + " is being backed up by another program",
                    "wait for it to end: virsh domjobinfo " + request_.domain);
    log::debug("{}: ending the backup that a killed run has left", request_.domain);
    end_pull(*host_, request_.domain, request_.socket);
}

void PullJob::begin() {
    // What a killed run has made has this name only within the same second.
    const std::string checkpoint = request_.checkpoint.empty() ? "" : checkpoint_xml(request_);
    try {
        host_->begin_backup(request_.domain, pull_xml(request_), checkpoint);
        return;
    } catch (const Error& e) {
        if (request_.since.empty() && checkpoint.empty()) throw;
        if (!host_->alive()) throw;
        since_lost_ = e.message();
    }
    remove_files();
    forget_ours();
    request_.since.clear();
    host_->begin_backup(request_.domain, pull_xml(request_), checkpoint);
}

/// libvirt deletes a checkpoint only where all its bitmaps are sound. Others are forgotten, and QEMU itself
/// removes what is left of their bitmaps.
void PullJob::forget_ours() {
    bool broken = false;
    auto all = host_->checkpoints(request_.domain);
    for (auto one = all.rbegin(); one != all.rend(); ++one) {
        if (!one->starts_with(checkpoint_prefix)) continue;
        try {
            host_->delete_checkpoint(request_.domain, *one);
        } catch (const Error& e) {
            log::debug("{}", e.what());
            broken = true;
        }
    }
    if (broken) host_->forget_checkpoints(request_.domain);
    for (const auto& command :
         remove_bitmaps(host_->monitor(request_.domain, ask_for_nodes), checkpoint_prefix))
        check_answer(host_->monitor(request_.domain, command), "QEMU does not remove a broken bitmap");
}

void PullJob::end() {
    if (!running_) return;
    running_ = false;
    if (!host_->alive()) host_ = connect_();
    const auto domain = host_->find(request_.domain);
    const bool runs = domain && domain->run != DomainState::Run::off;
    const bool there = runs && end_pull(*host_, request_.domain, request_.socket);
    remove_files();
    if (!there)
        throw Error(
            ErrorKind::failed,
            runs ? "libvirt has ended the backup meanwhile" : request_.domain + " has stopped meanwhile",
            "more may be in /var/log/libvirt/qemu/" + request_.domain + ".log; run it again");
}

void PullJob::drop_checkpoint() {
    if (!made_) return;
    made_ = false;
    const auto domain = host_->find(request_.domain);
    if (!domain || domain->run == DomainState::Run::off) return;  // the next run starts anew
    host_->delete_checkpoint(request_.domain, request_.checkpoint);
}

void PullJob::remove_files() {
    unlink_if_there(request_.socket);
    for (const auto& disk : request_.disks) unlink_if_there(disk.scratch);
}

}  // namespace clara
