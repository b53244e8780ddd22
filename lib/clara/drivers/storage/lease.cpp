#include "clara/drivers/storage/lease.hpp"

#include <fcntl.h>
#include <fmt/format.h>
#include <unistd.h>

#include <cerrno>
#include <nlohmann/json.hpp>

#include "clara/base/error.hpp"
#include "clara/base/files.hpp"

namespace clara {
namespace {
constexpr std::size_t lease_limit = 4096;  // bytes
}

std::string Lease::text() const {
    return fmt::format("host {}, process {}, since {}", host, pid, since);
}

std::string this_host() {
    char name[256];
    if (::gethostname(name, sizeof name) != 0) throw system_error("cannot tell this host's name", errno);
    return name;
}

std::string this_boot() {
    std::string id = read_file("/proc/sys/kernel/random/boot_id").value_or("");
    while (!id.empty() && id.back() == '\n') id.pop_back();
    return id;
}

Lease new_lease(int pid, const Clock& clock, const Random& random) {
    return {this_host(), this_boot(), fmt::format("{:016x}", random()), iso8601(clock()), pid};
}

std::optional<Lease> read_lease(int guest_dir) {
    auto text = read_file_at(guest_dir, "lease", lease_limit);
    if (!text) return std::nullopt;
    auto json = nlohmann::json::parse(*text, nullptr, false);
    if (!json.is_object()) return std::nullopt;
    auto field = [&](const char* key) {
        auto found = json.find(key);
        return found != json.end() && found->is_string() ? found->get<std::string>() : std::string();
    };
    Lease lease{field("host"), field("boot_id"), field("run_id"), field("since"), 0};
    if (auto pid = json.find("pid"); pid != json.end() && pid->is_number_integer())
        lease.pid = pid->get<int>();
    if (lease.host.empty()) return std::nullopt;
    return lease;
}

void write_lease(int guest_dir, const Lease& lease) {
    nlohmann::ordered_json json{{"host", lease.host},
                                {"boot_id", lease.boot_id},
                                {"run_id", lease.run_id},
                                {"since", lease.since},
                                {"pid", lease.pid}};
    // Not fsynced: after a power cut of this host it says nothing that is still true.
    write_file_at(guest_dir, "lease", json.dump() + "\n", 0644, Durable::nothing);
}

void remove_lease(int guest_dir) {
    if (::unlinkat(guest_dir, "lease", 0) != 0 && errno != ENOENT)
        throw system_error("cannot remove lease", errno);
}

}  // namespace clara
