// What a guest is given at its creation: the files and folders that make an image's copy this very guest.
// Pure.
#pragma once
#include <optional>
#include <string>
#include <vector>

#include "clara/spec/guest.hpp"

namespace clara {

/// Places inside a guest that both sides of the wall know.
namespace inside {
inline constexpr const char* init_json = "/etc/clara/init.json";  ///< read by clara-init
inline constexpr const char* sshd_config = "/etc/clara/sshd_config";
inline constexpr const char* ioc_run = "/opt/ioc/run";                  ///< procServ's child
inline constexpr const char* console_socket = "/run/ioc/console.sock";  ///< procServ, relayed to 7001
inline constexpr const char* log_socket = "/run/ioc/log.sock";          ///< read-only, relayed to 7002
inline constexpr const char* console_channel = "org.clara.console.0";   ///< a VM's virtio port to that socket
inline constexpr const char* log_folder = "/var/log/clara";             ///< SERVICE.log, SERVICE.log.1 ...
}  // namespace inside

struct Inside {
    std::vector<PlacedFile> files;     ///< spec.files come last, so that a template may replace any of ours
    std::vector<std::string> folders;  ///< "PATH OWNER-UID", as FillDisk takes them
};

/// Error{usage} where a value cannot be written safely (a line break in a macro) or an owner is unknown.
Inside render_inside(const GuestSpec& spec);

/// The users clara-init makes at boot: root, ioc (uid 1000), and the spec's; a uid of 0 means the next free
/// one.
std::vector<User> guest_users(const GuestSpec& spec);

/// The id inside of a user name or a number; nullopt where the guest has no such user.
std::optional<uid_t> guest_uid(const GuestSpec& spec, const std::string& owner);

/// Text of /etc/clara/init.json (docs/guest-init.md has every key).
std::string render_init_json(const GuestSpec& spec);

}  // namespace clara
