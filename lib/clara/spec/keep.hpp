// How many restore points are kept, and of which periods.
#pragma once

namespace clara {

/// Counts, 0: none of that period. A finer rule's points do not count for a coarser one.
struct Keep {
    unsigned last = 0, hourly = 0, daily = 0, weekly = 0, monthly = 0, yearly = 0;
    bool empty() const { return last + hourly + daily + weekly + monthly + yearly == 0; }
    bool operator==(const Keep&) const = default;
};

}  // namespace clara
