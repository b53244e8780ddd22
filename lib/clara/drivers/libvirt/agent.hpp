// Files and programs inside a running VM, as its guest agent reads and runs them ("QEMU Guest Agent Protocol
// Reference", guest-file-* and guest-exec).
#pragma once
#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "clara/drivers/libvirt/hypervisor.hpp"

namespace clara {

class AgentFiles {
  public:
    /// `host` must be open for change: libvirt lets nobody else talk to agents.
    AgentFiles(std::shared_ptr<Hypervisor> host, std::string guest)
        : host_(std::move(host)), guest_(std::move(guest)) {}

    struct Part {
        std::string bytes;
        std::uint64_t size = 0;  ///< of the whole file
    };
    /// From byte `at` on, at most `limit`; nullopt where there is no such file. Error where the agent does
    /// not answer.
    std::optional<Part> read(const std::string& path, std::uint64_t at, std::size_t limit);
    /// The last bytes.
    std::optional<Part> read_end(const std::string& path, std::size_t last_bytes);

  private:
    std::optional<Part> read(const std::string& path, std::size_t limit, bool from_end, std::uint64_t at);
    std::shared_ptr<Hypervisor> host_;
    std::string guest_;
};

struct AgentResult {
    int status = 0;  ///< exit status, or 128 + signal
    std::string out, err;
};

/// Runs a program in the guest as root and waits for it; without input or terminal, in the environment of a
/// login. Error where the agent does not answer or cannot start it.
AgentResult agent_run(Hypervisor& host, const std::string& guest, const std::vector<std::string>& argv);

}  // namespace clara
