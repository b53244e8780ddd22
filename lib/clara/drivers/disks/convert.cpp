#include "clara/drivers/disks/convert.hpp"

#include <fcntl.h>
#include <linux/fs.h>
#include <stdio.h>
#include <sys/stat.h>

#include <algorithm>
#include <cerrno>
#include <charconv>
#include <filesystem>

#include "clara/base/error.hpp"
#include "clara/base/files.hpp"
#include "clara/drivers/disks/room.hpp"

namespace clara {
namespace {

namespace fs = std::filesystem;
constexpr std::chrono::hours longest_copy{30 * 24};

/// qemu-img says how far it is as it goes.
class Progress {
  public:
    explicit Progress(std::function<void(double)> tell) : tell_(std::move(tell)) {}
    void take(std::string_view piece) {
        text_.append(piece);
        const double now = last_percent(text_);
        if (tell_ && now > percent_) tell_(now);
        percent_ = std::max(percent_, now);
        text_.erase(0, std::min(text_.rfind('(') == std::string::npos ? 0 : text_.rfind('('), text_.size()));
    }
    double percent() const { return percent_; }

  private:
    std::function<void(double)> tell_;
    std::string text_;
    double percent_ = 0;
};

void convert(const std::string& source, const std::string& format, const std::string& target,
             const ConvertOptions& options, const RunOptions& run) {
    const std::string path = fs::absolute(source).lexically_normal().string();
    if (options.compare) {
        // At first all of it is in the source; then what the new backing file has otherwise moves in.
        run_qemu_img({"create", "-q", "-f", "qcow2", "-b", path, "-F", format, target}, Trust::ours);
        run_qemu_img({"rebase", "-p", "-f", "qcow2", "-b", options.backing, "-F", "qcow2", target},
                     Trust::ours, run);
        return;
    }
    std::vector<std::string> words{"convert", "-p", "-f", format, "-O", "qcow2"};
    if (options.rate > 0) words.insert(words.end(), {"-r", std::to_string(options.rate)});
    if (!options.backing.empty()) words.insert(words.end(), {"-B", options.backing, "-F", "qcow2"});
    words.insert(words.end(), {path, target});
    run_qemu_img(words, Trust::ours, run);
}

/// Made before it holds anything that not everybody should read.
Fd make_private(int dir, const std::string& name, mode_t mode) {
    Fd file(::openat(dir, name.c_str(), O_RDWR | O_CREAT | O_NOFOLLOW | O_CLOEXEC, mode));
    if (!file) throw system_error("cannot make " + name, errno);
    if (::fchmod(file.get(), mode) != 0) throw system_error("cannot protect " + name, errno);
    return file;
}

}  // namespace

double last_percent(const std::string& text) {
    const auto end = text.rfind("/100%)");
    if (end == std::string::npos) return -1;
    const auto begin = text.rfind('(', end);
    if (begin == std::string::npos) return -1;
    std::string number = text.substr(begin + 1, end - begin - 1);
    number.erase(0, std::min(number.find_first_not_of(' '), number.size()));
    double percent = 0;
    auto [stop, error] = std::from_chars(number.data(), number.data() + number.size(), percent);
    return error == std::errc() && stop == number.data() + number.size() ? percent : -1;
}

void convert_disk(const std::string& source, const std::string& format, const std::string& target,
                  const ConvertOptions& options) {
    check_disk_format(format);
    const fs::path path = fs::absolute(target).lexically_normal();
    const std::string folder = path.parent_path().string(), name = path.filename().string();
    const std::string partial = "." + name + ".partial", what = "copying " + source;
    Fd dir = open_dir(folder);
    if (exists_at(dir.get(), name))
        throw Error(ErrorKind::refused, target + " exists already", "choose another name");
    std::uint64_t needed = options.needs;
    if (options.check_room) {
        needed = copy_needs(source, format, options.trust);
        require_room(folder, needed, what);
    }
    Progress progress(options.progress);
    try {
        Fd file = make_private(dir.get(), partial, options.mode);
        convert(source, format, folder + "/" + partial, options,
                {.timeout = longest_copy, .on_output = [&](std::string_view piece) {
                     progress.take(piece);
                     // So that the fsync below finds little to do. A hint: what it cannot do now, that one
                     // does.
                     ::sync_file_range(file.get(), 0, 0, SYNC_FILE_RANGE_WRITE);
                 }});
        fsync_or_throw(file.get(), name);
        if (::renameat2(dir.get(), partial.c_str(), dir.get(), name.c_str(), RENAME_NOREPLACE) != 0)
            throw system_error("cannot rename " + partial, errno);
        fsync_or_throw(dir.get(), folder);
    } catch (Error& e) {
        const bool full = e.message().find("No space left") != std::string::npos;
        const auto left =
            static_cast<std::uint64_t>(static_cast<double>(needed) * (100 - progress.percent()) / 100);
        // Another writer's file stays: it is his.
        if (e.kind() != ErrorKind::busy) ::unlinkat(dir.get(), partial.c_str(), 0);
        if (full) throw ran_out_of_room(folder, left, what);
        throw e.in(what);
    }
}

}  // namespace clara
