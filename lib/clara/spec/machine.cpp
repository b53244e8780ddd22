#include "clara/spec/machine.hpp"

namespace clara {

Mac further_mac(Mac first, std::size_t index) {
    return {(first.value + ((index + 1) << 24)) & 0xffffffffffff};
}

}  // namespace clara
