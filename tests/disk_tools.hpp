// Disk files for tests, made by QEMU's own tools.
#pragma once
#include <fcntl.h>
#include <signal.h>
#include <sys/wait.h>
#include <unistd.h>

#include <string>
#include <vector>

#include "catch.hpp"
#include "clara/base/error.hpp"
#include "clara/base/process.hpp"
#include "clara/drivers/disks/disk_export.hpp"
#include "temp_dir.hpp"

namespace clara {

inline bool is_root() {
    if (::geteuid() == 0) return true;
    WARN("needs root: not run");
    return false;
}

inline void qemu_img(std::vector<std::string> arguments) {
    arguments.insert(arguments.begin(), "qemu-img");
    run_ok(arguments);
}

/// e.g. {"write -P 1 0 8M"}
inline void qemu_io(const std::string& disk, const std::vector<std::string>& commands,
                    const std::string& format = "qcow2") {
    std::vector<std::string> argv{"qemu-io", "-f", format};
    for (const auto& command : commands) argv.insert(argv.end(), {"-c", command});
    argv.push_back(disk);
    run_ok(argv);
}

/// Text at the beginning of a qcow2 disk, e.g. "one"; at most 16 bytes.
inline void write_beginning(const std::string& disk, std::string text) {
    text.resize(16);
    DiskExport open(disk, "qcow2");
    Fd file(::open(open.path().c_str(), O_WRONLY | O_CLOEXEC));
    REQUIRE(::pwrite(file.get(), text.data(), text.size(), 0) == 16);
    file.reset();
    open.close();
}
/// The same of now, or of a snapshot of ours within the disk.
inline std::string beginning_of(const std::string& disk, const std::string& snapshot) {
    TempDir dir;
    std::vector<std::string> arguments{"convert", "-U", "-f", "qcow2", "-O", "raw"};
    if (!snapshot.empty()) arguments.insert(arguments.end(), {"-l", "snapshot.name=clara." + snapshot});
    arguments.insert(arguments.end(), {disk, dir / "raw"});
    qemu_img(arguments);
    Fd file(::open((dir / "raw").c_str(), O_RDONLY | O_CLOEXEC));
    char text[17] = {};
    REQUIRE(::pread(file.get(), text, 16, 0) == 16);
    return text;
}
inline std::string beginning_now(const std::string& disk) {
    return beginning_of(disk, "");
}

/// Has the disk open for writing, as a running guest has.
class QemuIo {
  public:
    explicit QemuIo(const std::string& disk, const std::string& format = "qcow2") {
        int in[2], out[2];
        REQUIRE(::pipe(in) == 0);
        REQUIRE(::pipe(out) == 0);
        pid_ = ::fork();
        if (pid_ == 0) {
            ::dup2(in[0], 0), ::dup2(out[1], 1);
            for (int fd : {in[0], in[1], out[0], out[1]}) ::close(fd);
            ::execlp("qemu-io", "qemu-io", "-f", format.c_str(), disk.c_str(), nullptr);
            ::_exit(127);
        }
        ::close(in[0]), ::close(out[1]);
        in_ = in[1], out_ = out[0];
        char prompt[8];  // "qemu-io> ": the disk is open
        REQUIRE(::read(out_, prompt, sizeof prompt) > 0);
    }
    QemuIo(const QemuIo&) = delete;
    QemuIo& operator=(const QemuIo&) = delete;
    ~QemuIo() {
        ::close(in_);
        ::waitpid(pid_, nullptr, 0);
        ::close(out_);
    }

  private:
    pid_t pid_ = -1;
    int in_ = -1, out_ = -1;
};

template <class F>
ErrorKind kind_of(F&& f) {
    try {
        f();
    } catch (const Error& e) {
        UNSCOPED_INFO(e.message());
        return e.kind();
    }
    FAIL("nothing was thrown");
    return ErrorKind::failed;
}

template <class F>
bool refused(F&& f) {
    return kind_of(std::forward<F>(f)) == ErrorKind::refused;
}

}  // namespace clara
