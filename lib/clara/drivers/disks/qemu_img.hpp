// qemu-img by argv. The format of a disk is always said, never guessed: raw data that begins like another
// format would let a guest name files of the host as its backing file.
#pragma once
#include <cstdint>
#include <functional>
#include <optional>
#include <string>
#include <vector>

#include "clara/base/process.hpp"

namespace clara {

struct DiskInfo {
    std::string format;
    std::uint64_t size = 0;   ///< bytes the guest sees
    std::uint64_t taken = 0;  ///< bytes on the host
    std::string backing;      ///< as the file has it; empty: none
    std::string backing_format;
    std::string variant;  ///< vmdk: its create type
    bool dirty = false;
    bool corrupt = false;
    bool encrypted = false;
    std::vector<std::string> bitmaps;
};

struct DiskCheck {
    std::uint64_t corruptions = 0;
    std::uint64_t leaks = 0;     ///< clusters that nothing uses: wasted room, no harm
    std::uint64_t repaired = 0;  ///< leaks that were given back
};

/// Foreign files are looked at with bounded memory (1 GiB) and time (30 s of CPU), as OpenStack's nova does.
enum class Trust { ours, foreign };

/// raw, qcow2, vmdk, vdi; Error{usage} lists them.
void check_disk_format(const std::string& format);
/// What the name says: .raw, .qcow2, .vmdk, .vdi; nullopt for others (.img may be raw or qcow2).
std::optional<std::string> format_of_name(const std::string& path);

/// `running`: another process may be writing (qemu-img -U); what is said of a changing disk may be old.
DiskInfo disk_info(const std::string& path, const std::string& format, Trust trust = Trust::ours,
                   bool running = false);

/// Error{refused} where the file is corrupt, names how much; leaks are given back with `repair`. Formats that
/// have nothing to check (raw) are sound.
DiskCheck check_disk(const std::string& path, const std::string& format, Trust trust = Trust::ours,
                     bool repair = false);

/// Makes `name` in the open folder `dir`, a qcow2 on the qcow2 `backing` (relative to the folder, which stays
/// as it is written). Its size is that of the backing file or, where larger, `size` (bytes). Not fsynced.
void create_linked(int dir, const std::string& name, const std::string& backing, std::uint64_t size);

/// Makes `name` in the open folder `dir`, an empty qcow2 of `size` bytes. Not fsynced.
void create_empty(int dir, const std::string& name, std::uint64_t size);

/// A qcow2 smaller than `size` (bytes) becomes that large; others stay as they are. Not fsynced.
void grow_disk(const std::string& path, std::uint64_t size);

/// Bytes that a copy as qcow2 will take, as far as holes tell.
std::uint64_t copy_needs(const std::string& path, const std::string& format, Trust trust = Trust::ours);

/// The program with its arguments, ended when we are. Error{busy} where the disk is in use, {refused} where
/// it is not of its format, {failed} else.
RunResult run_qemu_img(std::vector<std::string> arguments, Trust trust, RunOptions options = {});

}  // namespace clara
