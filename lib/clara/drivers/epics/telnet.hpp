// The telnet that procServ speaks: its option requests are taken out of what it says (RFC 854).
#pragma once
#include <string>
#include <string_view>

namespace clara {

/// Text without telnet commands. Keeps its place between calls: a command may come in two pieces.
class TelnetFilter {
  public:
    std::string feed(std::string_view bytes);

  private:
    enum class State { text, command, option, sub, sub_command } state_ = State::text;
};

/// What a person typed, ready to be sent: a byte 255 is doubled.
std::string telnet_escape(std::string_view text);

}  // namespace clara
