#include "clara/ops/facts.hpp"

namespace clara {

const char* to_string(GuestState state) {
    switch (state) {
        case GuestState::stopped:
            return "stopped";
        case GuestState::starting:
            return "starting";
        case GuestState::running:
            return "running";
        case GuestState::stopping:
            return "stopping";
        case GuestState::leftover:
            return "leftover";
    }
    return "unknown";
}

}  // namespace clara
