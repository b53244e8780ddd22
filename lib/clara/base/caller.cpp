#include "clara/base/caller.hpp"

#include <pwd.h>
#include <unistd.h>

#include <cstdlib>

namespace clara {

std::string caller() {
    std::string who;
    if (const char* sudo = std::getenv("SUDO_USER")) {
        who = std::string(sudo) + " (sudo)";
    } else if (const passwd* entry = ::getpwuid(::getuid())) {
        who = entry->pw_name;
    } else {
        who = "uid " + std::to_string(::getuid());
    }
    if (const char* ssh = std::getenv("SSH_CONNECTION")) {
        std::string from = ssh;  // "CLIENT PORT SERVER PORT" (man ssh)
        who += " from " + from.substr(0, from.find(' '));
    }
    return who + ", pid " + std::to_string(::getpid());
}

}  // namespace clara
