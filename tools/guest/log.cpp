#include "log.hpp"

#include <fcntl.h>
#include <sys/stat.h>

#include <cerrno>
#include <cstdarg>
#include <cstdio>
#include <ctime>

namespace guest {

LogFile::LogFile(const std::string& name, std::size_t limit, int keep)
    : path_(std::string(log_folder) + "/" + name + ".log"), limit_(limit), keep_(keep) {}

bool LogFile::open() {
    if (fd_) return true;
    fd_.reset(::open(path_.c_str(), O_WRONLY | O_APPEND | O_CREAT | O_NOFOLLOW | O_CLOEXEC, 0644));
    struct stat st {};
    if (!fd_ || ::fstat(fd_.get(), &st) != 0) return false;
    size_ = static_cast<std::size_t>(st.st_size);
    return true;
}

void LogFile::rotate() {
    auto name = [&](int n) { return n ? path_ + "." + std::to_string(n) : path_; };
    bool moved = keep_ > 0;
    for (int n = keep_; n > 0; --n)
        moved = (::rename(name(n - 1).c_str(), name(n).c_str()) == 0 || errno == ENOENT) && moved;
    if (!moved) ::ftruncate(fd_.get(), 0);  // the limit holds even where nothing can be renamed
    fd_.reset();
}

bool LogFile::put(std::string_view text) {
    while (!text.empty()) {
        ssize_t done = ::write(fd_.get(), text.data(), text.size());
        if (done < 0 && errno == EINTR) continue;
        if (done <= 0) {
            lost_ += text.size();
            return false;
        }
        size_ += static_cast<std::size_t>(done);
        text.remove_prefix(static_cast<std::size_t>(done));
    }
    return true;
}

void LogFile::append(std::string_view text) {
    if (open() && size_ > 0 && size_ + text.size() > limit_) rotate();
    if (!open()) {
        lost_ += text.size();
        return;
    }
    if (lost_) {
        const std::size_t lost = lost_;
        lost_ = 0;
        if (!put("\n[clara-init: " + std::to_string(lost) + " bytes lost, the disk was full]\n")) {
            lost_ = lost + text.size();
            return;
        }
    }
    put(text);
}

namespace {

LogFile& init_log() {
    static LogFile log("init", 256 << 10, 1);
    return log;
}

void write_message(bool console, const char* format, va_list args) {
    char line[1024];
    const std::time_t now = std::time(nullptr);
    std::tm utc{};
    ::gmtime_r(&now, &utc);
    std::size_t used = std::strftime(line, sizeof line, "%Y-%m-%dT%H:%M:%SZ ", &utc);
    const std::size_t stamp = used;
    int more = std::vsnprintf(line + used, sizeof line - used - 1, format, args);
    used += std::min(static_cast<std::size_t>(more > 0 ? more : 0), sizeof line - used - 2);
    line[used++] = '\n';
    init_log().append({line, used});
    if (!console) return;
    std::string text = "clara-init: " + std::string(line + stamp, used - stamp);
    if (::write(STDERR_FILENO, text.data(), text.size()) < 0) return;  // nobody may be there to read it
}

}  // namespace

void say(const char* format, ...) {
    va_list args;
    va_start(args, format);
    write_message(false, format, args);
    va_end(args);
}

void close_log() {
    init_log().close();
}

void complain(const char* format, ...) {
    va_list args;
    va_start(args, format);
    write_message(true, format, args);
    va_end(args);
}

}  // namespace guest
