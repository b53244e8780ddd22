// PVAccess, as much of it as tells a server from something else. Numbers: "pvAccess Protocol
// Specification", sections "Message Structure" and "Connection Validation".
#pragma once
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

namespace clara::pva {

constexpr std::uint16_t server_port = 5075;  ///< EPICS_PVA_SERVER_PORT's default, TCP

/// A server speaks first: the control message "set byte order". nullopt while more bytes are needed,
/// "" where it is one, else what is wrong.
std::optional<std::string> greeting_problem(std::string_view bytes);

}  // namespace clara::pva
