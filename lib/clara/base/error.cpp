#include "clara/base/error.hpp"

#include <cstring>

namespace clara {

const char* to_string(ErrorKind kind) {
    switch (kind) {
        case ErrorKind::failed:
            return "failed";
        case ErrorKind::usage:
            return "usage";
        case ErrorKind::partial:
            return "partial";
        case ErrorKind::refused:
            return "refused";
        case ErrorKind::busy:
            return "busy";
        case ErrorKind::undo_incomplete:
            return "undo-incomplete";
        case ErrorKind::unreachable:
            return "unreachable";
        case ErrorKind::interrupted:
            return "interrupted";
        case ErrorKind::terminated:
            return "terminated";
    }
    return "failed";
}

Error::Error(ErrorKind kind, std::string message, std::string hint)
    : kind_(kind), message_(std::move(message)), hint_(std::move(hint)) {}

Error& Error::in(const std::string& context) {
    message_.insert(0, context + ": ");
    return *this;
}

Error system_error(const std::string& what, int errnum) {
    return Error(ErrorKind::failed, what + ": " + std::strerror(errnum));
}

}  // namespace clara
