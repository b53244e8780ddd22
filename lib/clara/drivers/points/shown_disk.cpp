#include "clara/drivers/points/shown_disk.hpp"

#include <fcntl.h>
#include <fmt/format.h>
#include <poll.h>
#include <pthread.h>
#include <sched.h>
#include <signal.h>
#include <sys/eventfd.h>
#include <sys/mount.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cerrno>
#include <cstdlib>
#include <future>
#include <thread>

#define FUSE_USE_VERSION 31
#include <fuse_lowlevel.h>

#include "clara/base/error.hpp"
#include "clara/base/handle.hpp"
#include "clara/base/log.hpp"
#include "clara/drivers/points/overlay.hpp"
#include "clara/drivers/points/seen_disk.hpp"

namespace clara::points {
namespace {

constexpr const char* stage = "/sys";  // in the thread's own mount namespace; nobody's disk lies there
constexpr const char* place = "/sys/disk";
constexpr double for_ever = 86400;  // seconds that the kernel may keep the attributes

Overlay& overlay(fuse_req_t request) {
    return *static_cast<Overlay*>(::fuse_req_userdata(request));
}

struct stat attributes(const Overlay& file) {
    struct stat st {};
    st.st_ino = FUSE_ROOT_ID;
    st.st_mode = S_IFREG | 0600;
    st.st_nlink = 1;
    st.st_size = static_cast<off_t>(file.size());
    return st;
}

void on_getattr(fuse_req_t request, fuse_ino_t, fuse_file_info*) {
    const struct stat st = attributes(overlay(request));
    ::fuse_reply_attr(request, &st, for_ever);
}

/// Times and modes are of no interest.
void on_setattr(fuse_req_t request, fuse_ino_t, struct stat*, int what, fuse_file_info*) {
    if (what & FUSE_SET_ATTR_SIZE) {
        ::fuse_reply_err(request, EPERM);
        return;
    }
    const struct stat st = attributes(overlay(request));
    ::fuse_reply_attr(request, &st, for_ever);
}

void on_open(fuse_req_t request, fuse_ino_t, fuse_file_info* file) {
    file->keep_cache = 1;
    ::fuse_reply_open(request, file);
}

/// What the store does not give is an error of the disk to who looks through it.
template <class Work>
void answer(fuse_req_t request, Work work) {
    try {
        work();
    } catch (const std::exception& e) {
        log::debug("{}", e.what());
        ::fuse_reply_err(request, EIO);
    }
}

void on_read(fuse_req_t request, fuse_ino_t, std::size_t length, off_t offset, fuse_file_info*) {
    answer(request, [&] {
        const std::string_view bytes = overlay(request).read(static_cast<std::uint64_t>(offset), length);
        ::fuse_reply_buf(request, bytes.data(), bytes.size());
    });
}

void on_write(fuse_req_t request, fuse_ino_t, const char* bytes, std::size_t length, off_t offset,
              fuse_file_info*) {
    answer(request, [&] {
        overlay(request).write(static_cast<std::uint64_t>(offset), {bytes, length});
        ::fuse_reply_write(request, length);
    });
}

/// Nothing of it outlives us.
void on_fsync(fuse_req_t request, fuse_ino_t, int, fuse_file_info*) {
    ::fuse_reply_err(request, 0);
}

const fuse_lowlevel_ops operations = [] {
    fuse_lowlevel_ops all{};
    all.getattr = on_getattr;
    all.setattr = on_setattr;
    all.open = on_open;
    all.read = on_read;
    all.write = on_write;
    all.fsync = on_fsync;
    return all;
}();

using Session = Handle<fuse_session, fuse_session_destroy>;

/// Everything the kernel may ask is answered by the thread that made it.
Session new_session(Overlay& file, int device) {
    char name[] = "clara";
    char* words[] = {name};
    fuse_args arguments = FUSE_ARGS_INIT(1, words);
    Session session(::fuse_session_new(&arguments, &operations, sizeof operations, &file));
    ::fuse_opt_free_args(&arguments);  // it has made a copy
    if (!session) throw Error(ErrorKind::failed, "libfuse does not begin");
    if (::fuse_session_mount(session.get(), fmt::format("/dev/fd/{}", device).c_str()) != 0)
        throw Error(ErrorKind::failed, "libfuse does not take /dev/fuse");
    return session;
}

void mount_in_own_namespace(int device) {
    if (::unshare(CLONE_FS | CLONE_NEWNS) != 0 ||
        ::mount(nullptr, "/", nullptr, MS_REC | MS_PRIVATE, nullptr) != 0)
        throw system_error("cannot make a mount namespace", errno);
    if (::mount("tmpfs", stage, "tmpfs", MS_NOSUID | MS_NODEV | MS_NOEXEC, "mode=700,size=1m") != 0)
        throw system_error("cannot mount a tmpfs", errno);
    if (!Fd(::open(place, O_WRONLY | O_CREAT | O_CLOEXEC, 0600)))
        throw system_error("cannot make a file", errno);
    const std::string options =
        fmt::format("fd={},rootmode={:o},user_id=0,group_id=0,allow_other", device, S_IFREG | 0600);
    if (::mount("clara", place, "fuse", MS_NOSUID | MS_NODEV, options.c_str()) != 0)
        throw system_error("cannot mount through FUSE", errno);
}

}  // namespace

class ShownDisk::Server {
  public:
    Server(SeenDisk& disk, std::uint64_t offset, std::uint64_t length)
        : file_(disk, offset, length), end_(::eventfd(0, EFD_CLOEXEC)) {
        if (!end_) throw system_error("cannot make an eventfd", errno);
        std::promise<pid_t> ready;
        auto thread = ready.get_future();
        sigset_t all, before;
        ::sigfillset(&all);
        ::pthread_sigmask(SIG_SETMASK, &all, &before);  // signals are for those who wait for something
        thread_ = std::jthread([this, ready = std::move(ready)]() mutable { serve(ready); });
        ::pthread_sigmask(SIG_SETMASK, &before, nullptr);
        id_ = thread.get();
    }
    ~Server() { ::eventfd_write(end_.get(), 1); }
    Server(const Server&) = delete;
    Server& operator=(const Server&) = delete;

    pid_t thread() const { return id_; }

  private:
    void serve(std::promise<pid_t>& ready) {
        Fd device;
        Session session;
        try {
            device = Fd(::open("/dev/fuse", O_RDWR | O_CLOEXEC));
            if (!device) throw system_error("cannot open /dev/fuse", errno);
            mount_in_own_namespace(device.get());
            session = new_session(file_, device.get());
            device.release();  // the session's
        } catch (...) {
            ready.set_exception(std::current_exception());
            return;
        }
        ready.set_value(::gettid());
        answer_all(session.get());
    }

    void answer_all(fuse_session* session) {
        fuse_buf request{};
        pollfd watched[] = {{::fuse_session_fd(session), POLLIN, 0}, {end_.get(), POLLIN, 0}};
        for (;;) {
            if (::poll(watched, 2, -1) < 0 || watched[1].revents) break;
            const int got = ::fuse_session_receive_buf(session, &request);
            if (got == -EINTR || got == -EAGAIN) continue;
            if (got <= 0) break;
            ::fuse_session_process_buf(session, &request);
        }
        std::free(request.mem);
    }

    Overlay file_;
    Fd end_;
    pid_t id_ = 0;
    std::jthread thread_;  // last: it ends before what it uses
};

ShownDisk::ShownDisk(SeenDisk& disk, std::uint64_t offset, std::uint64_t length)
    : server_(std::make_unique<Server>(disk, offset, length)) {}

ShownDisk::ShownDisk(SeenDisk& disk) : ShownDisk(disk, 0, disk.size()) {}

ShownDisk::~ShownDisk() = default;

std::string ShownDisk::path() const {
    return fmt::format("/proc/{}/root{}", server_->thread(), place);
}

}  // namespace clara::points
