#include "clara/drivers/images/uuid.hpp"

#include "clara/drivers/images/digest.hpp"

namespace clara {

std::string uuid_for(const std::string& text) {
    std::string h = sha256_text(text);
    h[12] = '8';  // RFC 9562: version 8 (our own), variant 10
    h[16] = 'a';
    return h.substr(0, 8) + "-" + h.substr(8, 4) + "-" + h.substr(12, 4) + "-" + h.substr(16, 4) + "-" +
           h.substr(20, 12);
}

}  // namespace clara
