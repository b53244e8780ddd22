// The ACPI power button: how a host asks a virtual machine to end (virsh shutdown, QMP system_powerdown).
#pragma once
#include <functional>
#include <vector>

#include "clara/base/handle.hpp"
#include "loop.hpp"

namespace guest {

class PowerButton {
  public:
    PowerButton(Loop& loop, std::function<void()> pressed);
    ~PowerButton();
    PowerButton(const PowerButton&) = delete;
    /// False where no input device has such a key.
    bool watch();

  private:
    void ready(int fd);

    Loop& loop_;
    std::function<void()> pressed_;
    std::vector<clara::Fd> devices_;
};

}  // namespace guest
