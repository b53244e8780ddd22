// The copy of another machine's disk: begun, gone on with, finished.

#include <fcntl.h>
#include <fmt/format.h>
#include <linux/fs.h>
#include <stdio.h>
#include <unistd.h>

#include <cerrno>
#include <filesystem>
#include <nlohmann/json.hpp>
#include <optional>

#include "clara/base/error.hpp"
#include "clara/base/files.hpp"
#include "clara/base/log.hpp"
#include "clara/base/process.hpp"
#include "clara/base/units.hpp"
#include "clara/drivers/disks/block_writer.hpp"
#include "clara/drivers/disks/qemu_img.hpp"
#include "clara/drivers/disks/remote.hpp"
#include "clara/drivers/disks/remote_ssh.hpp"
#include "clara/drivers/disks/room.hpp"

namespace clara {
namespace {

namespace fs = std::filesystem;
using nlohmann::json;

constexpr std::uint64_t block = 1 << 20;      // bytes; dd counts in these
constexpr std::uint64_t tell_step = 8 << 20;  // bytes between two reports of progress
constexpr std::chrono::hours longest_copy{30 * 24};

/// How far an earlier run came.
struct Mark {
    std::string source;
    std::uint64_t size = 0, done = 0;
};

std::optional<Mark> read_mark(int dir, const std::string& name) {
    auto text = read_file_at(dir, name, 4096);
    const json tree = json::parse(text.value_or(""), nullptr, false);
    if (!tree.is_object() || !tree.contains("source") || !tree["source"].is_string()) return std::nullopt;
    Mark mark{tree["source"].get<std::string>()};
    for (auto [key, value] : {std::pair{"size", &mark.size}, {"done", &mark.done}}) {
        if (!tree.contains(key) || !tree[key].is_number_unsigned()) return std::nullopt;
        *value = tree[key].get<std::uint64_t>();
    }
    if (mark.done > mark.size || (mark.done % block != 0 && mark.done != mark.size)) return std::nullopt;
    return mark;
}

/// One copy: its names beside the target, and how far it is.
class Copy {
  public:
    Copy(const RemoteDisk& disk, const std::string& target, const RemoteOptions& options)
        : disk_(disk),
          options_(options),
          path_(fs::absolute(target).lexically_normal()),
          dir_(open_dir(path_.parent_path().string())),
          name_(path_.filename().string()) {
        if (exists_at(dir_.get(), name_))
            throw Error(ErrorKind::refused, target + " exists already", "choose another name");
    }

    void run_all() {
        mark_.size = remote_disk_size(disk_, options_);
        begin();
        if (mark_.done < mark_.size) transfer();
        finish();
    }

  private:
    std::string partial() const { return "." + name_ + ".partial"; }
    std::string mark_name() const { return partial() + ".json"; }
    std::string folder() const { return path_.parent_path().string(); }
    std::string what() const { return "copying " + disk_.str(); }

    /// Goes on with what is there, or makes an empty qcow2.
    void begin() {
        mark_.source = disk_.str();
        if (auto old = read_mark(dir_.get(), mark_name()); old && exists_at(dir_.get(), partial())) {
            if (old->source == mark_.source && old->size == mark_.size && sound()) {
                mark_.done = began_ = old->done;
                return;
            }
            if (old->source == mark_.source && old->size != mark_.size)
                throw Error(ErrorKind::refused,
                            fmt::format("{} had {} when its copy began, and has {} now", disk_.str(),
                                        size_text(old->size), size_text(mark_.size)),
                            "remove " + folder() + "/" + partial() + "* and begin again");
        }
        remove_partial();
        run_qemu_img({"create", "-q", "-f", "qcow2", folder() + "/" + partial(), std::to_string(mark_.size)},
                     Trust::ours);
        write_mark();
    }

    /// A kill leaves clusters that nothing uses; a power cut may leave worse.
    bool sound() const {
        try {
            check_disk(folder() + "/" + partial(), "qcow2", Trust::ours, true);
            return true;
        } catch (const Error& e) {
            log::info("{}: what an earlier run left is of no use: {}", what(), e.message());
            return false;
        }
    }

    void transfer() {
        BlockWriter writer(folder() + "/" + partial(), mark_.done, mark_.size, began_ > 0,
                           [this](std::uint64_t done) {
                               mark_.done = done;
                               write_mark();
                           });
        writer.set_rate(options_.rate);
        const RunResult result = stream_into(writer);
        writer.close();
        const std::uint64_t reached = writer.position();
        if (reached == mark_.size) return;
        const std::string far =
            fmt::format("at {} of {} ({:.0f} %)", size_text(reached), size_text(mark_.size),
                        100.0 * static_cast<double>(reached) / static_cast<double>(mark_.size));
        if (result.status == 255 || result.status >= 128)
            throw Error(ErrorKind::unreachable, fmt::format("{}: the connection was cut {}", what(), far),
                        "run it again: it goes on from there");
        throw Error(ErrorKind::failed,
                    fmt::format("{}: the device ended {}: {}", what(), far,
                                result.err.substr(0, result.err.find('\n'))),
                    "look at the disk where it is, then run it again");
    }

    RunResult stream_into(BlockWriter& writer) {
        const std::uint64_t blocks = (mark_.size - began_ + block - 1) / block;
        const std::string script =
            fmt::format("exec dd if={} bs={} skip={} count={}", disk_.path, block, began_ / block, blocks);
        RemoteOptions options = options_;
        if (const auto ciphers = fast_ciphers(disk_, options_); !ciphers.empty())
            options.ssh.insert(options.ssh.begin(), {"-o", "Ciphers=" + ciphers});
        try {
            RunResult result = run(ssh_argv(disk_, options, script),
                                   {.timeout = longest_copy, .on_output = [&](std::string_view piece) {
                                        writer.take(piece);
                                        tell(writer.position());
                                    }});
            writer.end();
            return result;
        } catch (Error& e) {
            if (e.message().find("No space left") != std::string::npos) {
                writer.drop();
                remove_partial();
                throw ran_out_of_room(folder(), mark_.size - mark_.done, what());
            }
            writer.end();  // an interrupt: what there is is kept for the next run
            writer.close();
            throw e.in(what());
        }
    }

    void tell(std::uint64_t position) {
        if (!options_.progress || (position < told_ + tell_step && position < mark_.size)) return;
        told_ = position;
        options_.progress(position, mark_.size);
    }

    void finish() {
        Fd file(::openat(dir_.get(), partial().c_str(), O_RDWR | O_NOFOLLOW | O_CLOEXEC));
        if (!file) throw system_error("cannot open " + partial(), errno);
        fsync_or_throw(file.get(), name_);
        if (::renameat2(dir_.get(), partial().c_str(), dir_.get(), name_.c_str(), RENAME_NOREPLACE) != 0)
            throw system_error("cannot rename " + partial(), errno);
        ::unlinkat(dir_.get(), mark_name().c_str(), 0);
        fsync_or_throw(dir_.get(), folder());
    }

    void write_mark() {
        const json tree{{"source", mark_.source}, {"size", mark_.size}, {"done", mark_.done}};
        write_file_at(dir_.get(), mark_name(), tree.dump() + "\n");
    }

    void remove_partial() {
        ::unlinkat(dir_.get(), mark_name().c_str(), 0);
        ::unlinkat(dir_.get(), partial().c_str(), 0);
    }

    const RemoteDisk& disk_;
    const RemoteOptions& options_;
    fs::path path_;
    Fd dir_;
    std::string name_;
    Mark mark_;
    std::uint64_t began_ = 0, told_ = 0;
};

}  // namespace

void read_remote_disk(const RemoteDisk& disk, const std::string& target, const RemoteOptions& options) {
    Copy(disk, target, options).run_all();
}

}  // namespace clara
