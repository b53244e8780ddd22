#include "clara/base/stall.hpp"

#include <sys/mman.h>
#include <time.h>

#include <atomic>
#include <cerrno>
#include <cstring>
#include <new>

#include "clara/base/error.hpp"

namespace clara {
namespace {

struct Slot {
    std::atomic<std::int64_t> since;  ///< ms of CLOCK_MONOTONIC, which processes share; 0: free
    char what[56];
};
constexpr int slots = 64;
struct Table {
    Slot slot[slots];
    std::atomic<int> regions;
};
Table* table = nullptr;  // shared by who was forked since

std::int64_t now_ms() {
    timespec now{};
    ::clock_gettime(CLOCK_MONOTONIC, &now);
    return std::int64_t{now.tv_sec} * 1000 + now.tv_nsec / 1000000 + 1;
}

}  // namespace

void watch_stalls() {
    void* memory = ::mmap(nullptr, sizeof(Table), PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
    if (memory == MAP_FAILED) throw system_error("cannot get shared memory", errno);
    table = new (memory) Table();
}

StallScope::StallScope(const char* what) {
    if (!table) return;
    for (int i = 0; i < slots && slot_ < 0; ++i) {
        std::int64_t free = 0;
        if (table->slot[i].since.compare_exchange_strong(free, now_ms())) slot_ = i;
    }
    if (slot_ >= 0) std::strncpy(table->slot[slot_].what, what, sizeof table->slot[slot_].what - 1);
}

StallScope::~StallScope() {
    if (slot_ >= 0) table->slot[slot_].since = 0;
}

StallRegion::StallRegion() {
    if (table) ++table->regions;
}

StallRegion::~StallRegion() {
    if (table) --table->regions;
}

bool in_stall_region() {
    return table && table->regions > 0;
}

std::optional<std::string> stalled(std::chrono::milliseconds limit) {
    if (!table) return std::nullopt;
    for (int i = 0; i < slots; ++i) {
        const std::int64_t since = table->slot[i].since;
        if (since != 0 && now_ms() - since >= limit.count())
            return std::string(table->slot[i].what,
                               ::strnlen(table->slot[i].what, sizeof table->slot[i].what));
    }
    return std::nullopt;
}

}  // namespace clara
