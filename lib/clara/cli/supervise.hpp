// Work on a store that may hang, done by a child that can be left behind.
#pragma once
#include <chrono>
#include <functional>
#include <string>

namespace clara {

struct Supervision {
    std::chrono::milliseconds limit{60000};  ///< for a single call to the store
    std::string store;                       ///< its folder
    /// What the child can no longer clear up, and must not touch the store; Errors become part of ours.
    std::function<void()> after_hang;
};

/// Returns what `work` returns. Signals are passed on. Error{unreachable} where a call to the store
/// (base/stall) takes longer than the limit, or where programs work on it and it answers nobody for so long:
/// the child is killed, and left behind where even that does not end it. Then it holds nothing but the store:
/// whoever reads our output, or waits for a lock, is free. To be called before any thread is made.
int supervised(const Supervision& how, const std::function<int()>& work);

}  // namespace clara
