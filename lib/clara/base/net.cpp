#include "clara/base/net.hpp"

#include <arpa/inet.h>
#include <fmt/format.h>

#include <cstdio>

namespace clara {

std::optional<Ipv4> Ipv4::parse(const std::string& text) {
    in_addr a{};
    if (::inet_pton(AF_INET, text.c_str(), &a) != 1) return std::nullopt;
    return Ipv4{ntohl(a.s_addr)};
}

std::string Ipv4::str() const {
    return fmt::format("{}.{}.{}.{}", value >> 24, value >> 16 & 255, value >> 8 & 255, value & 255);
}

std::optional<Subnet> Subnet::parse(const std::string& text) {
    auto slash = text.find('/');
    if (slash == std::string::npos) return std::nullopt;
    auto address = Ipv4::parse(text.substr(0, slash));
    std::string length = text.substr(slash + 1);
    if (!address || length.empty() || length.size() > 2 ||
        length.find_first_not_of("0123456789") != std::string::npos)
        return std::nullopt;
    int prefix = std::stoi(length);
    if (prefix > 32) return std::nullopt;
    return Subnet{*address, prefix};
}

std::string Subnet::str() const {
    return fmt::format("{}/{}", address.str(), prefix);
}

std::optional<Mac> Mac::parse(const std::string& text) {
    unsigned b[6];
    int used = 0;
    if (std::sscanf(text.c_str(), "%2x:%2x:%2x:%2x:%2x:%2x%n", b, b + 1, b + 2, b + 3, b + 4, b + 5, &used) !=
            6 ||
        static_cast<std::size_t>(used) != text.size())
        return std::nullopt;
    Mac mac;
    for (unsigned byte : b) mac.value = mac.value << 8 | byte;
    return mac;
}

std::string Mac::str() const {
    return fmt::format("{:02x}:{:02x}:{:02x}:{:02x}:{:02x}:{:02x}", value >> 40 & 255, value >> 32 & 255,
                       value >> 24 & 255, value >> 16 & 255, value >> 8 & 255, value & 255);
}

}  // namespace clara
