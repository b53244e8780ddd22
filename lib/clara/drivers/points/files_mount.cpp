#include "clara/drivers/points/files_mount.hpp"

#include <fcntl.h>
#include <signal.h>
#include <sys/inotify.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/stat.h>

#include <cerrno>
#include <climits>
#include <cstdio>
#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <nlohmann/json.hpp>

#include "clara/base/error.hpp"
#include "clara/base/files.hpp"
#include "clara/base/interrupt.hpp"
#include "clara/drivers/storage/mount.hpp"

namespace clara::points {
namespace {

using nlohmann::json;

std::string absolute(const std::string& folder) {
    char path[PATH_MAX];
    if (!::realpath(folder.c_str(), path))
        throw Error(ErrorKind::refused, folder + " is not there", "make an empty folder to mount on");
    return path;
}

void check_empty(const std::string& folder) {
    struct stat st {};
    if (::stat(folder.c_str(), &st) != 0 || !S_ISDIR(st.st_mode))
        throw Error(ErrorKind::refused, folder + " is no folder");
    if (is_mount_point(folder))
        throw Error(ErrorKind::refused, "something is mounted on " + folder, "choose another folder");
    if (!list_dir(folder).empty())
        throw Error(ErrorKind::refused, folder + " is not empty", "choose another folder");
}

/// Says when the file system that `root` belongs to is gone, and does not keep it.
Fd watch_end(int root) {
    Fd watch(::inotify_init1(IN_CLOEXEC));
    const std::string path = "/proc/self/fd/" + std::to_string(root);
    // IN_UNMOUNT always comes; the other event never does, but there has to be one.
    if (!watch || ::inotify_add_watch(watch.get(), path.c_str(), IN_DELETE_SELF) < 0)
        throw system_error("cannot watch the mount", errno);
    return watch;
}

void wait_for_end(const Fd& watch) {
    alignas(inotify_event) char events[4096];
    for (;;) {
        const ssize_t got = ::read(watch.get(), events, sizeof events);
        if (got < 0 && errno != EINTR) return;
        for (ssize_t at = 0; at < got;) {
            const auto* event = reinterpret_cast<const inotify_event*>(events + at);
            if (event->mask & (IN_UNMOUNT | IN_IGNORED)) return;
            at += static_cast<ssize_t>(sizeof *event + event->len);
        }
    }
}

/// What began us does not wait for our output, not even where we hang in the store.
bool be_quiet(int errors) {
    const Fd nothing(::open("/dev/null", O_RDWR | O_CLOEXEC));
    return nothing && ::dup2(nothing.get(), 0) == 0 && ::dup2(nothing.get(), 1) == 1 &&
           ::dup2(errors < 0 ? nothing.get() : errors, 2) == 2;
}

/// A pipe or lock of who began us would be held by us for days.
Fd keep_only(Fd one) {
    constexpr int first = 3;
    if (one.get() != first) one = Fd(::dup3(one.get(), first, O_CLOEXEC));
    if (!one || ::close_range(first + 1, ~0U, 0) != 0) ::_exit(1);
    return one;
}

/// A signal ends us now, and the export with us: readers of the mount get errors until it is unmounted.
void default_signals() {
    for (int number : {SIGINT, SIGTERM, SIGHUP}) ::signal(number, SIG_DFL);
    ::signal(SIGPIPE, SIG_IGN);
}

void say(const Fd& to, const json& what) {
    write_all(to.get(), what.dump(-1, ' ', false, json::error_handler_t::replace));
}

/// The process behind the mount; `tell` gets one JSON text.
void keep(const FilesChoice& choice, const std::string& folder, Fd& tell) {
    GuestFiles files(choice);
    const Fd watch = watch_end(files.root());
    files.leave_host();
    if (!be_quiet(-1)) throw system_error("cannot open /dev/null", errno);
    // From here on the mount is to stay, whatever becomes of who asked for it.
    ::prctl(PR_SET_PDEATHSIG, 0);
    attach_mount(files.root(), folder);
    files.let_go();
    try {
        say(tell, {{"parts", files.parts()}});
    } catch (const Error&) {  // nobody listens any more
    }
    tell.reset();
    wait_for_end(watch);
    files.wait_released();
}

[[noreturn]] void become_keeper(const FilesChoice& choice, const std::string& folder, Fd pipe, int errors,
                                pid_t parent) {
    if (!be_quiet(errors)) ::_exit(1);
    Fd tell = keep_only(std::move(pipe));
    int status = 0;
    default_signals();
    ::setsid();
    if (::prctl(PR_SET_PDEATHSIG, SIGKILL) != 0 || ::getppid() != parent || ::chdir("/") != 0) ::_exit(1);
    try {
        keep(choice, folder, tell);
    } catch (const Error& e) {
        status = 1;
        try {
            if (tell)
                say(tell,
                    {{"kind", static_cast<int>(e.kind())}, {"message", e.message()}, {"hint", e.hint()}});
        } catch (...) {  // nobody listens any more
        }
    }
    ::_exit(status);
}

std::string answer(const Fd& from) {
    std::string text;
    char buffer[4096];
    for (;;) {
        const ssize_t got = ::read(from.get(), buffer, sizeof buffer);
        if (got == 0) return text;
        if (got > 0) text.append(buffer, static_cast<std::size_t>(got));
        if (got < 0 && errno != EINTR) throw system_error("cannot read from our process", errno);
        throw_if_interrupted();  // it dies with us
    }
}

void pass_on(int errors) {
    char buffer[4096];
    off_t at = 0;
    for (ssize_t got = 0; (got = ::pread(errors, buffer, sizeof buffer, at)) > 0; at += got)
        write_all(2, {buffer, static_cast<std::size_t>(got)});
}

/// Type and source of the mount that the path is on, as /proc/self/mountinfo has them.
std::pair<std::string, std::string> mount_at(const std::string& path) {
    struct statx st {};
    if (::statx(AT_FDCWD, path.c_str(), AT_NO_AUTOMOUNT | AT_STATX_DONT_SYNC, STATX_MNT_ID, &st) != 0)
        throw system_error("cannot examine " + path, errno);
    std::ifstream mounts("/proc/self/mountinfo");
    for (std::string line; std::getline(mounts, line);) {
        char type[64] = "", source[256] = "";
        const auto dash = line.find(" - ");
        if (line.starts_with(std::to_string(st.stx_mnt_id) + " ") && dash != std::string::npos &&
            std::sscanf(line.c_str() + dash, " - %63s %255s", type, source) == 2)
            return {type, source};
    }
    return {};
}

bool is_ours(const std::pair<std::string, std::string>& mount) {
    if (mount.first == "overlay") return mount.second.starts_with("clara:");
    return mount.second.starts_with("/dev/loop") && is_mounted_disk(mount.second);
}

}  // namespace

std::vector<std::string> mount_files(FilesChoice choice, const std::string& folder) {
    const std::string place = absolute(folder);
    choice.store = absolute(choice.store);
    choice.pool = std::filesystem::absolute(choice.pool);  // may be gone
    check_empty(place);
    int ends[2];
    if (::pipe2(ends, O_CLOEXEC) != 0) throw system_error("cannot make a pipe", errno);
    const Fd from(ends[0]);
    Fd tell(ends[1]);
    const Fd errors(::memfd_create("errors", MFD_CLOEXEC));  // its warnings, in place of our own stderr
    if (!errors) throw system_error("cannot make a file in memory", errno);
    const pid_t parent = ::getpid();
    const pid_t keeper = ::fork();
    if (keeper < 0) throw system_error("cannot fork", errno);
    if (keeper == 0) become_keeper(choice, place, std::move(tell), errors.get(), parent);
    tell.reset();
    const json said = json::parse(answer(from), nullptr, false);
    pass_on(errors.get());
    if (!said.is_object())
        throw Error(ErrorKind::failed, "the process behind the mount was killed", "run it again");
    if (said.contains("kind"))
        throw Error(static_cast<ErrorKind>(said["kind"].get<int>()), said["message"], said["hint"]);
    return said["parts"];
}

void unmount_files(const std::string& folder) {
    const std::string place = absolute(folder);
    if (!is_mount_point(place) || !is_ours(mount_at(place)))
        throw Error(ErrorKind::refused, folder + " is no mount of a restore point",
                    "findmnt " + folder + " shows what it is");
    try {
        unmount(place);
    } catch (const Error& e) {
        throw Error(ErrorKind::busy, e.message(), "fuser -vm " + folder + " shows who uses it");
    }
}

}  // namespace clara::points
