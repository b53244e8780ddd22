#include "clara/cli/tell.hpp"

#include <nlohmann/json.hpp>

#include "clara/base/log.hpp"

namespace clara {

void tell(const std::string& who, ErrorKind kind, const std::string& message, const std::string& hint,
          bool json) {
    if (!json) {
        log::write(log::Level::quiet, who + ": " + message + (hint.empty() ? "" : "\n  hint: " + hint));
        return;
    }
    nlohmann::ordered_json line{{"schema", "clara.error/1"},
                                {"from", who},
                                {"kind", to_string(kind)},
                                {"message", message},
                                {"hint", hint}};
    // Names and texts of foreign files may hold any bytes: replaced rather than thrown at.
    log::write(log::Level::quiet, line.dump(-1, ' ', false, nlohmann::json::error_handler_t::replace));
}

}  // namespace clara
