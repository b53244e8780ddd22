#include "clara/spec/host_files.hpp"

#include <fmt/format.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cerrno>
#include <sstream>

#include "clara/base/error.hpp"
#include "clara/base/files.hpp"
#include "clara/base/probe_path.hpp"
#include "clara/spec/codec.hpp"

namespace clara {
namespace {

constexpr std::chrono::seconds patience{3};  ///< for a file server; a healthy one answers in milliseconds
constexpr std::uint64_t key_file_limit = 64 << 10;

}  // namespace

bool check_host_file(const std::string& path, std::uint64_t limit, const Place& place, Problems& problems) {
    auto bad = [&](const std::string& what) {
        problems.add(place, fmt::format("{}: {}", path, what));
        return false;
    };
    switch (probe_path(path, patience)) {
        case PathState::ok:
            break;
        case PathState::absent:
            return bad("no such file");
        case PathState::stale:
            return bad("stale file handle; mount its share again");
        case PathState::hung:
            return bad("its file system does not answer");
    }
    struct stat st {};
    if (::stat(path.c_str(), &st) != 0) return bad(system_error("cannot look at it", errno).message());
    if (!S_ISREG(st.st_mode)) return bad("not a regular file");
    if (static_cast<std::uint64_t>(st.st_size) > limit)
        return bad(fmt::format("larger than {} bytes", limit));
    if (::access(path.c_str(), R_OK) != 0) return bad(system_error("cannot read it", errno).message());
    return true;
}

void read_key_files(std::vector<std::string>& keys, const Place& place, Problems& problems) {
    std::vector<std::string> all;
    for (const auto& key : keys) {
        if (is_ssh_key(key)) {
            all.push_back(key);
            continue;
        }
        if (!check_host_file(key, key_file_limit, place, problems)) continue;
        std::istringstream lines(read_file(key, key_file_limit).value_or(""));
        std::size_t before = all.size();
        for (std::string line; std::getline(lines, line);) {
            if (!line.empty() && line.back() == '\r') line.pop_back();
            if (is_ssh_key(line) && line.front() != '#') all.push_back(line);
        }
        if (all.size() == before) problems.add(place, fmt::format("{}: holds no ssh public key", key));
    }
    keys = std::move(all);
}

}  // namespace clara
