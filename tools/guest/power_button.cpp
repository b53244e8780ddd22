#include "power_button.hpp"

#include <fcntl.h>
#include <linux/input.h>
#include <sys/ioctl.h>

#include <cerrno>
#include <string>

namespace guest {
namespace {

constexpr int most_devices = 32;  // EVDEV_MINORS (drivers/input/evdev.c)

bool has_power_key(int fd) {
    unsigned char keys[KEY_MAX / 8 + 1]{};
    return ::ioctl(fd, EVIOCGBIT(EV_KEY, sizeof keys), keys) >= 0 &&
           (keys[KEY_POWER / 8] >> KEY_POWER % 8 & 1);
}

}  // namespace

PowerButton::PowerButton(Loop& loop, std::function<void()> pressed)
    : loop_(loop), pressed_(std::move(pressed)) {}

PowerButton::~PowerButton() {
    for (const auto& device : devices_) loop_.forget(device.get());
}

bool PowerButton::watch() {
    for (int n = 0; n < most_devices; ++n) {
        clara::Fd fd(
            ::open(("/dev/input/event" + std::to_string(n)).c_str(), O_RDONLY | O_NONBLOCK | O_CLOEXEC));
        if (!fd || !has_power_key(fd.get())) continue;
        loop_.watch(fd.get(), POLLIN, [this, raw = fd.get()](short) { ready(raw); });
        devices_.push_back(std::move(fd));
    }
    return !devices_.empty();
}

void PowerButton::ready(int fd) {
    input_event event{};
    ssize_t got;
    while ((got = ::read(fd, &event, sizeof event)) == sizeof event)
        if (event.type == EV_KEY && event.code == KEY_POWER && event.value == 1) pressed_();
    if (got < 0 && errno != EAGAIN && errno != EINTR) loop_.forget(fd);  // it was taken away
}

}  // namespace guest
