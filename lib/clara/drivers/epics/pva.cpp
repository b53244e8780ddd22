#include "clara/drivers/epics/pva.hpp"

namespace clara::pva {

std::optional<std::string> greeting_problem(std::string_view bytes) {
    constexpr std::size_t header_size = 8;
    constexpr unsigned char magic = 0xca, control = 0x01, from_server = 0x40, set_byte_order = 0x02;
    auto byte = [&](std::size_t i) { return static_cast<unsigned char>(bytes[i]); };
    if (!bytes.empty() && byte(0) != magic) return "it is no PVAccess server";
    if (bytes.size() < header_size) return std::nullopt;
    unsigned char flags = byte(2);
    if (byte(1) == 0 || !(flags & control) || !(flags & from_server) || byte(3) != set_byte_order)
        return "it does not greet as a PVAccess server does";
    return "";
}

}  // namespace clara::pva
