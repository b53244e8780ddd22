#include "clara/drivers/storage/mount.hpp"

#include <fcntl.h>
#include <linux/loop.h>
#include <sys/ioctl.h>
#include <sys/mount.h>
#include <sys/stat.h>

#include <cerrno>
#include <thread>

#include "clara/base/error.hpp"
#include "clara/base/lock.hpp"

namespace clara {
namespace {

// Each try loses to somebody who got a device, so this many tries outlast as many rivals.
constexpr int loop_tries = 1000;
// Of a mount that somebody looks at.
constexpr std::chrono::seconds busy_wait{2};

__u32 flags_of(LoopMode mode) {
    switch (mode) {
        case LoopMode::read_only:
            return LO_FLAGS_AUTOCLEAR | LO_FLAGS_READ_ONLY;
        case LoopMode::read_write:
            return LO_FLAGS_AUTOCLEAR;
        case LoopMode::direct:
            return LO_FLAGS_AUTOCLEAR | LO_FLAGS_DIRECT_IO;
    }
    return 0;
}

/// The kernel's own words: lines such as "e ext4: Unknown parameter 'x'".
std::string kernel_words(int context) {
    std::string words;
    char line[512];
    for (ssize_t got; (got = ::read(context, line, sizeof line)) > 0;) {
        std::string text(line, static_cast<std::size_t>(got));
        if (text.size() > 2 && text[1] == ' ') text.erase(0, 2);
        while (!text.empty() && text.back() == '\n') text.pop_back();
        words += (words.empty() ? "" : ", ") + text;
    }
    return words;
}

Error mount_error(int context, const std::string& what, int errnum) {
    std::string words = kernel_words(context);
    return system_error(what + (words.empty() ? "" : ": " + words), errnum);
}

}  // namespace

Loop attach_loop(int file, LoopMode mode, std::uint64_t offset, std::uint64_t size) {
    Fd control(::open("/dev/loop-control", O_RDWR | O_CLOEXEC));
    if (!control) throw system_error("cannot open /dev/loop-control", errno);
    const int access = mode == LoopMode::read_only ? O_RDONLY : O_RDWR;
    for (int i = 0; i < loop_tries; ++i) {
        int number = ::ioctl(control.get(), LOOP_CTL_GET_FREE);
        if (number < 0) throw system_error("cannot get a loop device", errno);
        std::string path = "/dev/loop" + std::to_string(number);
        Fd device(::open(path.c_str(), access | O_CLOEXEC));
        if (!device) throw system_error("cannot open " + path, errno);
        loop_config config{};
        config.fd = static_cast<__u32>(file);
        config.info.lo_flags = flags_of(mode);
        config.info.lo_offset = offset;
        config.info.lo_sizelimit = size;
        if (::ioctl(device.get(), LOOP_CONFIGURE, &config) == 0) return {std::move(device), std::move(path)};
        // EBUSY: somebody else asked at the same time and was faster.
        if (errno != EBUSY) throw system_error("cannot attach " + path, errno);
    }
    throw Error(ErrorKind::busy, "no loop device stayed free long enough", "run it again");
}

Fd open_disk(int dir, const std::string& name, std::chrono::milliseconds wait) {
    Fd file(::openat(dir, name.c_str(), O_RDWR | O_NOFOLLOW | O_CLOEXEC));
    if (!file) throw system_error("cannot open " + name, errno);
    if (!try_lock_for(file.get(), wait))
        throw Error(ErrorKind::busy, name + " is in use", "stop the guest where it runs");
    return file;
}

Fd new_mount(const std::string& type, const std::string& source, const MountOptions& options,
             unsigned attributes) {
    const std::string what = "cannot mount " + (source.empty() ? type : source);
    Fd context(::fsopen(type.c_str(), FSOPEN_CLOEXEC));
    if (!context) throw system_error(what + ": no file system " + type + " in this kernel", errno);
    auto set = [&](unsigned command, const char* key, const char* value) {
        if (::fsconfig(context.get(), command, key, value, 0) != 0)
            throw mount_error(context.get(), key ? what + ": option " + key : what, errno);
    };
    if (!source.empty()) set(FSCONFIG_SET_STRING, "source", source.c_str());
    for (const auto& [key, value] : options)
        if (value.empty())
            set(FSCONFIG_SET_FLAG, key.c_str(), nullptr);
        else
            set(FSCONFIG_SET_STRING, key.c_str(), value.c_str());
    set(FSCONFIG_CMD_CREATE, nullptr, nullptr);
    Fd mount(::fsmount(context.get(), FSMOUNT_CLOEXEC, attributes));
    if (!mount) throw mount_error(context.get(), what, errno);
    return mount;
}

void attach_mount(int mount, const std::string& target) {
    if (::move_mount(mount, "", AT_FDCWD, target.c_str(), MOVE_MOUNT_F_EMPTY_PATH) != 0)
        throw system_error("cannot mount on " + target, errno);
}

bool is_mount_point(const std::string& path) {
    struct statx st {};
    if (::statx(AT_FDCWD, path.c_str(), AT_SYMLINK_NOFOLLOW | AT_NO_AUTOMOUNT, STATX_TYPE, &st) != 0) {
        if (errno == ENOENT || errno == ENOTDIR) return false;
        throw system_error("cannot examine " + path, errno);
    }
    return st.stx_attributes & STATX_ATTR_MOUNT_ROOT;
}

bool unmount(const std::string& path) {
    const auto deadline = std::chrono::steady_clock::now() + busy_wait;
    for (;;) {
        if (::umount2(path.c_str(), UMOUNT_NOFOLLOW) == 0) return true;
        if (errno == EINVAL || errno == ENOENT) return false;
        if (errno != EBUSY || std::chrono::steady_clock::now() >= deadline)
            throw system_error("cannot unmount " + path, errno);
        std::this_thread::sleep_for(std::chrono::milliseconds{1});
    }
}

}  // namespace clara
