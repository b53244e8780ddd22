#include "clara/drivers/libvirt/agent.hpp"

#include <openssl/evp.h>

#include <algorithm>
#include <chrono>
#include <nlohmann/json.hpp>
#include <thread>

#include "clara/base/error.hpp"
#include "clara/base/interrupt.hpp"

namespace clara {
namespace {

using nlohmann::json;

constexpr std::chrono::seconds agent_limit{10};
constexpr std::chrono::milliseconds shortest_pause{10}, longest_pause{500};  // between looks at a program
constexpr const char* environment[] = {"HOME=/root", "USER=root", "TERM=dumb",
                                       "PATH=/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin"};
constexpr std::size_t piece = 256 << 10;  // bytes a call; libvirt takes answers of at most 10 MiB

std::string decode(const std::string& base64) {
    if (base64.empty()) return {};
    std::string bytes(base64.size() / 4 * 3, '\0');
    const int size = ::EVP_DecodeBlock(reinterpret_cast<unsigned char*>(bytes.data()),
                                       reinterpret_cast<const unsigned char*>(base64.data()),
                                       static_cast<int>(base64.size()));
    if (size < 0) throw Error(ErrorKind::failed, "the guest agent's answer is not base64");
    const auto padding = static_cast<std::size_t>(std::count(base64.end() - 2, base64.end(), '='));
    bytes.resize(static_cast<std::size_t>(size) - padding);
    return bytes;
}

json ask_agent(Hypervisor& host, const std::string& guest, const std::string& verb, const json& arguments) {
    const json command{{"execute", verb}, {"arguments", arguments}};
    const json answer = json::parse(host.agent(guest, command.dump(), agent_limit), nullptr, false);
    if (!answer.is_object() || !answer.contains("return"))
        throw Error(ErrorKind::failed, "the guest agent of " + guest + " does not answer " + verb);
    return answer["return"];
}

/// One conversation about one open file; it is closed at the end, or with the agent's own end.
class OpenFile {
  public:
    OpenFile(Hypervisor& host, const std::string& guest, const std::string& path)
        : host_(host), guest_(guest) {
        handle_ = ask("guest-file-open", {{"path", path}, {"mode", "r"}});
    }
    json ask(const std::string& verb, json arguments) {
        if (!handle_.is_null()) arguments["handle"] = handle_;
        return ask_agent(host_, guest_, verb, arguments);
    }

  private:
    Hypervisor& host_;
    const std::string& guest_;
    json handle_;
};

}  // namespace

std::optional<AgentFiles::Part> AgentFiles::read(const std::string& path, std::uint64_t at,
                                                 std::size_t limit) {
    return read(path, limit, false, at);
}

std::optional<AgentFiles::Part> AgentFiles::read_end(const std::string& path, std::size_t last_bytes) {
    return read(path, last_bytes, true, 0);
}

std::optional<AgentFiles::Part> AgentFiles::read(const std::string& path, std::size_t limit, bool from_end,
                                                 std::uint64_t at) try {
    OpenFile file(*host_, guest_, path);
    Part part;
    try {
        part.size = file.ask("guest-file-seek", {{"offset", 0}, {"whence", "end"}}).at("position");
        if (from_end) at = part.size - std::min<std::uint64_t>(part.size, limit);
        file.ask("guest-file-seek", {{"offset", at}, {"whence", "set"}});
        while (part.bytes.size() < limit) {
            const json got =
                file.ask("guest-file-read", {{"count", std::min(piece, limit - part.bytes.size())}});
            const std::string bytes = decode(got.at("buf-b64"));
            if (bytes.empty()) break;
            part.bytes += bytes;
        }
    } catch (...) {
        file.ask("guest-file-close", json::object());
        throw;
    }
    file.ask("guest-file-close", json::object());
    return part;
} catch (const json::exception& e) {
    throw Error(ErrorKind::failed, "the guest agent of " + guest_ + " answers in another way: " + e.what());
} catch (const Error& e) {
    // strerror(ENOENT) of the agent, which speaks the language C.
    if (e.message().find("No such file or directory") != std::string::npos) return std::nullopt;
    throw;
}

AgentResult agent_run(Hypervisor& host, const std::string& guest, const std::vector<std::string>& argv) try {
    const json started =
        ask_agent(host, guest, "guest-exec",
                  {{"path", argv.front()},
                   {"arg", std::vector<std::string>(argv.begin() + 1, argv.end())},
                   {"env", std::vector<std::string>(std::begin(environment), std::end(environment))},
                   {"capture-output", true}});
    for (auto pause = shortest_pause;; pause = std::min(2 * pause, longest_pause)) {
        std::this_thread::sleep_for(pause);
        throw_if_interrupted();
        const json now = ask_agent(host, guest, "guest-exec-status", {{"pid", started.at("pid")}});
        if (!now.at("exited").get<bool>()) continue;
        AgentResult result;
        result.status = now.contains("signal") ? 128 + now["signal"].get<int>() : now.value("exitcode", 0);
        result.out = decode(now.value("out-data", ""));
        result.err = decode(now.value("err-data", ""));
        return result;
    }
} catch (const json::exception& e) {
    throw Error(ErrorKind::failed, "the guest agent of " + guest + " answers in another way: " + e.what());
}

}  // namespace clara
