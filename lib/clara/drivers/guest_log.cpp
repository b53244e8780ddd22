#include "clara/drivers/guest_log.hpp"

#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>

#include "clara/base/error.hpp"
#include "clara/drivers/storage/disk_file.hpp"
#include "clara/ops/inside.hpp"

namespace clara {
namespace {

constexpr std::size_t most = 4 << 20;  // bytes told at once

struct stat examine(const Fd& fd) {
    struct stat st {};
    if (::fstat(fd.get(), &st) != 0) throw system_error("cannot examine the log", errno);
    return st;
}

std::size_t begin_of_last(const std::string& text, std::size_t lines) {
    std::size_t at = text.size();
    if (at > 0 && text.back() == '\n') --at;
    for (; at > 0; --at)
        if (text[at - 1] == '\n' && --lines == 0) break;
    return at;
}

}  // namespace

std::string log_path(const std::string& service) {
    if (service.empty() || service.find_first_of("/\n") != std::string::npos)
        throw Error(ErrorKind::usage, "'" + service + "' is not the name of a service");
    return std::string(inside::log_folder) + "/" + service + ".log";
}

std::string read_from(const Fd& fd, off_t at, std::size_t limit) {
    std::string text;
    char buffer[16384];
    while (text.size() < limit) {
        ssize_t got = ::pread(fd.get(), buffer, sizeof buffer, at + static_cast<off_t>(text.size()));
        if (got < 0 && errno == EINTR) continue;
        if (got < 0) throw system_error("cannot read the log", errno);
        if (got == 0) break;
        text.append(buffer, static_cast<std::size_t>(got));
    }
    return text;
}

LogReader running_log(const GuestRoot& root) {
    return [&root](const std::string& path, std::size_t last_bytes) -> std::optional<std::string> {
        auto fd = root.open_file(path);
        if (!fd) return std::nullopt;
        const off_t size = examine(*fd).st_size;
        return read_from(*fd, std::max<off_t>(0, size - static_cast<off_t>(last_bytes)), last_bytes);
    };
}

LogReader stopped_log(const std::string& disk) {
    return [disk](const std::string& path, std::size_t last_bytes) {
        return read_disk_file(disk, "/upper" + path, last_bytes);
    };
}

std::string log_tail(const LogReader& read, const std::string& service, std::size_t lines) {
    const std::string path = log_path(service);
    auto text = read(path, most);
    if (!text)
        throw Error(ErrorKind::usage, "there is no log of a service " + service,
                    "init is always there; ioc for an IOC");
    if (lines == 0) return {};
    for (int n = 1; text->size() < most &&
                    static_cast<std::size_t>(std::count(text->begin(), text->end(), '\n')) < lines;
         ++n) {
        auto older = read(path + "." + std::to_string(n), most - text->size());
        if (!older) break;
        text = *older + *text;
    }
    return text->substr(begin_of_last(*text, lines));
}

LogFollower::LogFollower(const GuestRoot& root, const std::string& service)
    : LogFollower([&root, path = log_path(service)](
                      bool rotated) { return root.open_file(rotated ? path + ".1" : path); },
                  [&root] { return root.alive(); }) {}

LogFollower::LogFollower(Open open, std::function<bool()> alive)
    : open_(std::move(open)), alive_(std::move(alive)) {
    if (auto fd = open_(false)) {
        const auto st = examine(*fd);
        inode_ = st.st_ino;
        at_ = st.st_size;
    }
}

std::optional<std::string> LogFollower::more() try {
    auto fd = open_(false);
    if (!fd) return std::string();
    const auto st = examine(*fd);
    std::string text;
    if (st.st_ino != inode_) {
        if (auto old = open_(true); old && examine(*old).st_ino == inode_) text = read_from(*old, at_, most);
        inode_ = st.st_ino;
        at_ = 0;
    } else if (st.st_size < at_) {
        at_ = 0;  // emptied in place
    }
    const std::string fresh = read_from(*fd, at_, most);
    at_ += static_cast<off_t>(fresh.size());
    return text + fresh;
} catch (const Error&) {
    if (alive_()) throw;
    return std::nullopt;
}

std::string plain_log(const std::string& text) {
    std::string out;
    enum { plain, escape, sequence } state = plain;
    for (char c : text) {
        const auto byte = static_cast<unsigned char>(c);
        if (state == escape)
            state = c == '[' ? sequence : plain;
        else if (state == sequence)
            state = byte >= 0x40 && byte <= 0x7e ? plain : sequence;
        else if (c == '\x1b')
            state = escape;
        else if (c == '\n' || c == '\t' || (byte >= 0x20 && byte != 0x7f))
            out += c;
    }
    return out;
}

}  // namespace clara
