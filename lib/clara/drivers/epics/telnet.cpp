#include "clara/drivers/epics/telnet.hpp"

namespace clara {
namespace {

enum : unsigned char { SE = 240, SB = 250, WILL = 251, DONT = 254, IAC = 255 };

}  // namespace

std::string TelnetFilter::feed(std::string_view bytes) {
    std::string text;
    for (char c : bytes) {
        const auto byte = static_cast<unsigned char>(c);
        switch (state_) {
            case State::text:
                if (byte == IAC)
                    state_ = State::command;
                else
                    text += c;
                break;
            case State::command:
                if (byte == IAC) text += c;
                state_ = byte == SB ? State::sub : byte >= WILL && byte <= DONT ? State::option : State::text;
                break;
            case State::option:
                state_ = State::text;
                break;
            case State::sub:
                if (byte == IAC) state_ = State::sub_command;
                break;
            case State::sub_command:
                state_ = byte == SE ? State::text : State::sub;
                break;
        }
    }
    return text;
}

std::string telnet_escape(std::string_view text) {
    std::string out;
    for (char c : text) {
        out += c;
        if (static_cast<unsigned char>(c) == IAC) out += c;
    }
    return out;
}

}  // namespace clara
