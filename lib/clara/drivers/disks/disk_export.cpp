#include "clara/drivers/disks/disk_export.hpp"

#include <fcntl.h>
#include <fmt/format.h>
#include <poll.h>
#include <sched.h>
#include <signal.h>
#include <sys/mman.h>
#include <sys/mount.h>
#include <sys/prctl.h>
#include <sys/syscall.h>
#include <sys/wait.h>

#include <cerrno>
#include <cstring>
#include <nlohmann/json.hpp>
#include <thread>

#include "clara/base/error.hpp"
#include "clara/base/files.hpp"
#include "clara/drivers/disks/chain.hpp"
#include "clara/drivers/disks/disk_hold.hpp"

namespace clara {
namespace {

using namespace std::chrono_literals;
using nlohmann::json;

constexpr auto answer_wait = 30s;  // a busy host; usually milliseconds
constexpr auto close_wait = 600s;  // writes out what the disk's metadata cache holds
constexpr std::size_t longest_answer = 1 << 20;
// A folder in the daemon's own namespace for its mounts. Nobody's disk lies below /sys.
constexpr const char* stage = "/sys";
constexpr const char* exported = "/sys/disk";

/// The chain as QEMU's block layer takes it, each link with its format: nothing is left to be guessed.
json block_nodes(const std::vector<ChainLink>& chain, const Volume* part) {
    json node;
    for (auto link = chain.rbegin(); link != chain.rend(); ++link) {
        json above{{"driver", link->format},
                   {"file",
                    {{"driver", is_block_device(link->path) ? "host_device" : "file"},
                     {"filename", link->path},
                     {"cache", {{"no-flush", true}}}}}};
        if (link->format == "qcow2") above["backing"] = node;  // null at the chain's end
        above["read-only"] = link + 1 != chain.rend();
        node = std::move(above);
    }
    if (part)
        node = {{"driver", "raw"}, {"offset", part->offset}, {"size", part->size}, {"file", std::move(node)}};
    node["node-name"] = "disk";
    return node;
}

[[noreturn]] void child_fails(const char* what) {
    const char* why = ::strerrordesc_np(errno);
    for (const char* text : {what, ": ", why ? why : "?", "\n"})
        if (::write(2, text, std::strlen(text)) < 0) break;
    ::_exit(127);
}

/// After vfork(2): system calls only, which change nothing of the parent's.
[[noreturn]] void become_daemon(pid_t parent, int in, int out, int err, char* const* argv) {
    ::dup2(in, 0), ::dup2(out, 1), ::dup2(err, 2);
    ::setpgid(0, 0);  // a terminal's ^C is ours to handle
    sigset_t none;
    sigemptyset(&none);
    ::sigprocmask(SIG_SETMASK, &none, nullptr);
    if (::prctl(PR_SET_PDEATHSIG, SIGKILL) != 0) child_fails("cannot tie the export to us");
    if (::getppid() != parent) ::_exit(127);
    if (::unshare(CLONE_NEWNS) != 0 || ::mount(nullptr, "/", nullptr, MS_REC | MS_PRIVATE, nullptr) != 0)
        child_fails("cannot make a mount namespace");
    if (::mount("tmpfs", stage, "tmpfs", MS_NOSUID | MS_NODEV | MS_NOEXEC, "mode=700,size=1m") != 0)
        child_fails("cannot mount a tmpfs");
    if (::close(::open(exported, O_WRONLY | O_CREAT | O_CLOEXEC, 0600)) != 0)
        child_fails("cannot make a file");
    ::execvp(argv[0], argv);
    child_fails("cannot start qemu-storage-daemon");
}

Error export_error(const std::string& file, const std::string& why) {
    if (why.find("lock") != std::string::npos && why.find("Failed to get") != std::string::npos)
        return {ErrorKind::busy, file + " is in use: " + why, "stop the guest where it runs"};
    return {ErrorKind::failed, "cannot open " + file + ": " + why};
}

}  // namespace

DiskExport::DiskExport(const std::string& file, const std::string& format)
    : DiskExport(disk_chain(file, format)) {}

DiskExport::DiskExport(const std::vector<ChainLink>& chain) : DiskExport(chain, nullptr) {}

DiskExport::DiskExport(const std::vector<ChainLink>& chain, const Volume& part) : DiskExport(chain, &part) {}

DiskExport::DiskExport(const std::vector<ChainLink>& chain, const Volume* part) : file_(chain.front().path) {
    start(block_nodes(chain, part).dump());
    try {
        // The greeting comes when all that the command line asks for is there.
        if (line(answer_wait).empty()) throw export_error(file_, complaint());
        command(R"({"execute":"qmp_capabilities"})", "cannot talk to qemu-storage-daemon");
    } catch (...) {
        reap();
        throw;
    }
}

void DiskExport::start(const std::string& chain_json) {
    int in[2], out[2];
    if (::pipe2(in, O_CLOEXEC) != 0) throw system_error("cannot make a pipe", errno);
    Fd in_read(in[0]);
    to_.reset(in[1]);
    if (::pipe2(out, O_CLOEXEC) != 0) throw system_error("cannot make a pipe", errno);
    Fd out_write(out[1]);
    from_.reset(out[0]);
    errors_ = Fd(::memfd_create("errors", MFD_CLOEXEC));
    if (!errors_) throw system_error("cannot make a file in memory", errno);

    const std::string mount =
        std::string("type=fuse,id=disk,node-name=disk,writable=on,mountpoint=") + exported;
    const char* argv[] = {"qemu-storage-daemon", "--blockdev", chain_json.c_str(), "--export",
                          mount.c_str(),         "--chardev",  "stdio,id=qmp",     "--monitor",
                          "chardev=qmp",         nullptr};
    const pid_t parent = ::getpid();
    // Not fork(2): to copy the page tables of a program with megabytes in hand takes longer than all the
    // rest.
    pid_ = ::vfork();  // NOLINT(clang-analyzer-security.insecureAPI.vfork)
    if (pid_ < 0) throw system_error("cannot fork", errno);
    if (pid_ == 0)
        become_daemon(parent, in_read.get(), out_write.get(), errors_.get(),
                      const_cast<char* const*>(argv));  // execvp writes to none
    pidfd_ = Fd(static_cast<int>(::syscall(SYS_pidfd_open, pid_, 0)));
    if (!pidfd_) {
        int why = errno;
        reap();
        throw system_error("cannot watch qemu-storage-daemon", why);
    }
}

DiskExport::~DiskExport() {
    if (pid_ < 0) return;
    ::kill(pid_, SIGTERM);  // in order, as the qcow2 is to stay sound whatever happened above
    ended(5s);
    reap();
}

std::string DiskExport::path() const {
    return fmt::format("/proc/{}/root{}", pid_, exported);
}

void DiskExport::leave_host() {
    const Fd space(::open(fmt::format("/proc/{}/ns/mnt", pid_).c_str(), O_RDONLY | O_CLOEXEC));
    if (!space) throw system_error("cannot open a mount namespace", errno);
    int why = 0;
    // A thread of its own, as one that shares its working directory with others may not enter. What is open
    // stays so.
    std::thread([&] {
        if (::unshare(CLONE_FS) != 0 || ::setns(space.get(), CLONE_NEWNS) != 0 ||
            ::umount2("/", MNT_DETACH) != 0)
            why = errno;
    }).join();
    if (why) throw system_error("cannot leave the host's mounts", why);
}

void DiskExport::close() {
    write_all(to_.get(), "{\"execute\":\"quit\"}\n");
    if (!ended(close_wait)) throw Error(ErrorKind::failed, file_ + ": qemu-storage-daemon does not end");
    const std::string said = complaint();
    if (int status = reap(); status != 0)
        throw Error(ErrorKind::failed,
                    fmt::format("{}: qemu-storage-daemon ended with status {}: {}", file_, status, said));
}

void DiskExport::command(const std::string& json_text, const std::string& what) {
    write_all(to_.get(), json_text + "\n");
    for (;;) {
        const std::string text = line(answer_wait);
        if (text.empty()) throw Error(ErrorKind::failed, what + ": " + complaint());
        const json answer = json::parse(text, nullptr, false);
        if (!answer.is_object()) throw Error(ErrorKind::failed, what + ": no JSON: " + text);
        if (answer.contains("return")) return;
        if (auto error = answer.find("error"); error != answer.end())
            throw export_error(file_, what + ": " + error->value("desc", ""));
        // An event.
    }
}

/// The next line it says; empty where it has ended.
std::string DiskExport::line(std::chrono::milliseconds wait) {
    auto deadline = std::chrono::steady_clock::now() + wait;
    for (;;) {
        if (auto end = unread_.find('\n'); end != std::string::npos) {
            std::string text = unread_.substr(0, end);
            unread_.erase(0, end + 1);
            return text;
        }
        auto left = std::chrono::ceil<std::chrono::milliseconds>(deadline - std::chrono::steady_clock::now());
        pollfd ready{from_.get(), POLLIN, 0};
        if (left <= 0ms || unread_.size() > longest_answer)
            throw Error(ErrorKind::failed, file_ + ": qemu-storage-daemon does not answer");
        if (::poll(&ready, 1, static_cast<int>(left.count())) < 0 && errno != EINTR)
            throw system_error("cannot wait for qemu-storage-daemon", errno);
        if (!ready.revents) continue;
        char buffer[4096];
        ssize_t got = ::read(from_.get(), buffer, sizeof buffer);
        if (got < 0 && errno != EINTR) throw system_error("cannot read from qemu-storage-daemon", errno);
        if (got == 0) {
            ended(answer_wait);
            return {};
        }
        if (got > 0) unread_.append(buffer, static_cast<std::size_t>(got));
    }
}

std::string DiskExport::complaint() const {
    std::string text(4096, '\0');
    ssize_t got = ::pread(errors_.get(), text.data(), text.size(), 0);
    text.resize(got > 0 ? static_cast<std::size_t>(got) : 0);
    constexpr std::string_view prefix = "qemu-storage-daemon: ";
    if (auto at = text.find(prefix); at != std::string::npos) text.erase(0, at + prefix.size());
    return text.substr(0, text.find('\n'));
}

bool DiskExport::ended(std::chrono::milliseconds wait) const {
    pollfd end{pidfd_.get(), POLLIN, 0};
    auto deadline = std::chrono::steady_clock::now() + wait;
    for (;;) {
        auto left = std::chrono::ceil<std::chrono::milliseconds>(deadline - std::chrono::steady_clock::now());
        int ready = ::poll(&end, 1, static_cast<int>(std::max(left, 0ms).count()));
        if (ready > 0) return true;
        if (left <= 0ms) return false;
    }
}

int DiskExport::reap() {
    if (pid_ <= 0) return 0;  // kill(2) takes -1 for everybody
    ::kill(pid_, SIGKILL);    // one that has ended does not mind
    int status = 0;
    while (::waitpid(pid_, &status, 0) < 0 && errno == EINTR) {
    }
    pid_ = -1;
    return WIFSIGNALED(status) ? 128 + WTERMSIG(status) : WEXITSTATUS(status);
}

}  // namespace clara
