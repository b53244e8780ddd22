#include "clara/drivers/disks/qemu_img.hpp"

#include <fcntl.h>
#include <fmt/format.h>
#include <signal.h>
#include <sys/mman.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <filesystem>
#include <nlohmann/json.hpp>

#include "clara/base/error.hpp"
#include "clara/base/files.hpp"
#include "clara/drivers/disks/qcow2_header.hpp"

namespace clara {
namespace {

using nlohmann::json;

constexpr std::array formats{"raw", "qcow2", "vmdk", "vdi"};
// qemu-img check, see its manual.
constexpr int check_corrupt = 2, check_leaks = 3, check_unsupported = 63;

/// An absolute path is never taken for a protocol or an option.
std::string absolute(const std::string& path) {
    return std::filesystem::absolute(path).lexically_normal().string();
}

std::string first_line(const std::string& text) {
    std::string line = text.substr(0, text.find('\n'));
    constexpr std::string_view prefix = "qemu-img: ";
    return line.starts_with(prefix) ? line.substr(prefix.size()) : line;
}

Error told(const RunResult& result) {
    const std::string line = first_line(result.err);
    auto says = [&](const char* text) { return result.err.find(text) != std::string::npos; };
    if (says("Failed to get") && says("lock"))
        return {ErrorKind::busy, line, "stop the guest that uses the disk, or wait for the other program"};
    if (says("Image is not in ") || says("not a valid") || says("invalid VMDK") || says("Unsupported"))
        return {ErrorKind::refused, line, "say which format it has"};
    if (result.status == 128 + SIGXCPU || result.status == 128 + SIGKILL)
        return {ErrorKind::refused, "qemu-img needed more time than a file from outside is given"};
    return {ErrorKind::failed,
            line.empty() ? fmt::format("qemu-img ended with status {}", result.status) : line};
}

json parsed(const std::string& text) {
    json tree = json::parse(text, nullptr, false);
    if (!tree.is_object()) throw Error(ErrorKind::failed, "qemu-img said what is no JSON object");
    return tree;
}

template <class T>
T field(const json& tree, const char* key, T fallback = {}) {
    auto found = tree.find(key);
    if (found == tree.end()) return fallback;
    if constexpr (std::is_same_v<T, std::string>)
        return found->is_string() ? found->get<T>() : fallback;
    else if constexpr (std::is_same_v<T, bool>)
        return found->is_boolean() ? found->get<T>() : fallback;
    else
        return found->is_number_unsigned() ? found->get<T>() : fallback;
}

const json& section(const json& tree, const char* key) {
    static const json none = json::object();
    auto found = tree.find(key);
    return found != tree.end() && found->is_object() ? *found : none;
}

/// Made in memory: qemu-img fsyncs what it makes, and this file gets its fsync with the rest of the guest.
void create_in(int dir, const std::string& name, const std::vector<std::string>& backing,
               std::uint64_t size) {
    Fd memory(::memfd_create("qcow2", MFD_CLOEXEC));
    if (!memory) throw system_error("cannot make a file in memory", errno);
    std::vector<std::string> arguments{"create", "-q", "-f", "qcow2"};
    arguments.insert(arguments.end(), backing.begin(), backing.end());
    arguments.push_back(fmt::format("/proc/{}/fd/{}", ::getpid(), memory.get()));
    arguments.push_back(std::to_string(size));
    run_qemu_img(arguments, Trust::ours);
    Fd disk(::openat(dir, name.c_str(), O_WRONLY | O_CREAT | O_EXCL | O_NOFOLLOW | O_CLOEXEC, 0600));
    if (!disk) throw system_error("cannot make " + name, errno);
    try {
        copy_sparse(memory.get(), disk.get());
    } catch (Error& e) {
        ::unlinkat(dir, name.c_str(), 0);
        throw e.in("making " + name);
    }
}

}  // namespace

void check_disk_format(const std::string& format) {
    if (std::find(formats.begin(), formats.end(), format) == formats.end())
        throw Error(ErrorKind::usage, "disk format '" + format + "' is not known", "raw, qcow2, vmdk or vdi");
}

std::optional<std::string> format_of_name(const std::string& path) {
    const std::string extension = std::filesystem::path(path).extension().string();
    for (const std::string format : formats)
        if (extension == "." + format) return format;
    return std::nullopt;
}

RunResult run_qemu_img(std::vector<std::string> arguments, Trust trust, RunOptions options) {
    // An orphan would go on writing into a file that the next run believes to be its own.
    std::vector<std::string> argv{"setpriv", "--pdeathsig", "KILL"};
    if (trust == Trust::foreign)
        argv.insert(argv.end(), {"prlimit", "--as=1073741824", "--cpu=30:35", "--core=0"});
    argv.emplace_back("qemu-img");
    argv.insert(argv.end(), arguments.begin(), arguments.end());
    options.extra_env.emplace_back("LC_ALL=C");
    RunResult result = run(argv, options);
    if (result.status != 0 && arguments[0] != "check") throw told(result);
    return result;
}

DiskInfo disk_info(const std::string& path, const std::string& format, Trust trust, bool running) {
    check_disk_format(format);
    std::vector<std::string> arguments{"info", "-f", format, "--output=json"};
    if (running) arguments.emplace_back("-U");
    arguments.push_back(absolute(path));
    const json tree = parsed(run_qemu_img(arguments, trust).out);
    const json& data = section(section(tree, "format-specific"), "data");
    DiskInfo info;
    info.format = field<std::string>(tree, "format");
    info.size = field<std::uint64_t>(tree, "virtual-size");
    info.taken = field<std::uint64_t>(tree, "actual-size");
    info.backing = field<std::string>(tree, "backing-filename");
    info.backing_format = field<std::string>(tree, "backing-filename-format");
    info.variant = field<std::string>(data, "create-type");
    info.dirty = field<bool>(tree, "dirty-flag");
    info.corrupt = field<bool>(data, "corrupt");
    info.encrypted = field<bool>(tree, "encrypted");
    if (auto bitmaps = data.find("bitmaps"); bitmaps != data.end() && bitmaps->is_array())
        for (const auto& bitmap : *bitmaps) info.bitmaps.push_back(field<std::string>(bitmap, "name"));
    return info;
}

DiskCheck check_disk(const std::string& path, const std::string& format, Trust trust, bool repair) {
    check_disk_format(format);
    std::vector<std::string> arguments{"check", "-f", format, "--output=json"};
    if (repair) arguments.insert(arguments.end(), {"-r", "leaks"});
    arguments.push_back(absolute(path));
    const RunResult result = run_qemu_img(arguments, trust);
    if (result.status == check_unsupported) return {};
    if (result.status != 0 && result.status != check_corrupt && result.status != check_leaks)
        throw told(result);
    const json tree = parsed(result.out);
    DiskCheck check;
    check.corruptions = field<std::uint64_t>(tree, "corruptions");
    check.leaks = field<std::uint64_t>(tree, "leaks");
    check.repaired = field<std::uint64_t>(tree, "leaks-fixed");
    if (check.corruptions > 0 || field<std::uint64_t>(tree, "check-errors") > 0)
        throw Error(
            ErrorKind::refused,
            fmt::format("{} is damaged: qemu-img check finds {} corruptions", path, check.corruptions),
            "take a sound copy, or mend this one: qemu-img check -r all");
    return check;
}

void create_linked(int dir, const std::string& name, const std::string& backing, std::uint64_t size) {
    Fd base(::openat(dir, backing.c_str(), O_RDONLY | O_CLOEXEC));
    if (!base) throw system_error("cannot open " + backing, errno);
    size = std::max(size, read_qcow2_header(base.get(), backing).size);
    create_in(dir, name, {"-u", "-b", backing, "-F", "qcow2"}, size);
}

void grow_disk(const std::string& path, std::uint64_t size) {
    if (disk_info(path, "qcow2").size >= size) return;
    run_qemu_img({"resize", "-q", "-f", "qcow2", path, std::to_string(size)}, Trust::ours);
}

void create_empty(int dir, const std::string& name, std::uint64_t size) {
    create_in(dir, name, {}, size);
}

std::uint64_t copy_needs(const std::string& path, const std::string& format, Trust trust) {
    check_disk_format(format);
    const json tree = parsed(
        run_qemu_img({"measure", "-f", format, "-O", "qcow2", "--output=json", absolute(path)}, trust).out);
    return field<std::uint64_t>(tree, "required");
}

}  // namespace clara
