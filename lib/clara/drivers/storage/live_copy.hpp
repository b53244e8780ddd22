// A copy, of one moment, of a disk that its guest writes to meanwhile.
#pragma once
#include <chrono>
#include <string>

namespace clara {

struct LiveLimits {
    std::chrono::milliseconds patience{2000};      ///< for a moment in which nothing reaches the disk
    std::chrono::milliseconds freeze_limit{1000};  ///< for which writes may be blocked after that
};

struct LiveCopy {
    std::chrono::microseconds blocked{0};  ///< how long the guest's writes had to wait
    enum class How { cloned, quiet, frozen } how = How::quiet;
    /// "writes were blocked for 12.3 ms", or why none were
    std::string text() const;
};

/// Copies the disk file `from`, which is mounted through a loop device as `mount` (an open folder), into the
/// empty file `to`. The copy is what the disk would be after a power cut at one moment after the call; its
/// journal may have to be replayed. What was written before the call is in it. In this order:
///
/// 1. Where the pool's file system can share blocks, one FICLONE: it lets no write pass while it works.
/// 2. Else a copy is made and brought up to date, again and again, until the loop device says that nothing
/// was
///    written while the copy was compared. Nobody waits for anything. An IOC's disk is quiet between two
///    commits of its journal (5 s), and comparing takes milliseconds.
/// 3. Where the disk is not quiet within `patience`, the file system is frozen for one more comparison.
///
/// Error{failed}: it would have to be frozen for longer than `freeze_limit`; Error{busy}: somebody else has
/// it frozen; Error{failed} where `mount` is not that of `from`.
LiveCopy copy_live(int from, int mount, int to, const LiveLimits& limits);

}  // namespace clara
