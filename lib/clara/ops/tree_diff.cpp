#include "clara/ops/tree_diff.hpp"

#include <sys/stat.h>

#include <set>

namespace clara {
namespace {

const TreeEntry* find(const Tree& tree, const std::string& path) {
    auto entry = tree.find(path);
    return entry == tree.end() ? nullptr : &entry->second;
}

std::string parent(const std::string& path) {
    return path.substr(0, path.rfind('/'));
}

/// Whether the image shows through at a path that the upper layer lacks.
bool shows_image(const Tree& tree, const std::string& path) {
    for (std::string at = parent(path); !at.empty(); at = parent(at))
        if (const TreeEntry* above = find(tree, at); above && (!above->folder() || above->opaque))
            return false;
    return true;
}

/// One side of a comparison: from the disk, from the image, or nothing.
struct Side {
    const TreeEntry* upper = nullptr;
    std::optional<mode_t> image;
    bool there() const { return upper || image; }
    mode_t mode() const { return upper ? upper->mode : image.value_or(0); }
};

Side look_at(const Tree& tree, const std::string& path, const TreeLook& look) {
    Side side{find(tree, path), {}};
    if (side.upper && side.upper->whiteout) return {};
    if (!side.upper && shows_image(tree, path)) side.image = look.in_image(path);
    return side;
}

/// What differs between two entries of the disk itself.
std::string upper_difference(const TreeEntry& a, const TreeEntry& b, const TreeLook& look) {
    std::string what;
    auto add = [&](bool differs, const char* name) {
        if (differs) what += (what.empty() ? "" : ", ") + std::string(name);
    };
    // An inode that has not changed since has not changed at all: both are states of one file system.
    const bool untouched = a.inode == b.inode && a.changed == b.changed && a.size == b.size;
    if (S_ISREG(a.mode) && !untouched) add(a.size != b.size || !look.same_content(a, b), "content");
    add(a.link != b.link, "target");
    add(a.mode != b.mode, "mode");
    add(a.uid != b.uid || a.gid != b.gid, "owner");
    add(a.opaque != b.opaque, "replaced");
    return what;
}

std::string difference(const Side& a, const Side& b, const TreeLook& look) {
    if ((a.mode() & S_IFMT) != (b.mode() & S_IFMT)) return "kind";
    if (a.upper && b.upper) return upper_difference(*a.upper, *b.upper, look);
    if (!a.upper && !b.upper) return {};
    const TreeEntry& upper = a.upper ? *a.upper : *b.upper;
    if (!upper.folder()) return "content";
    // A folder of the image comes into the upper layer as soon as something in it changes.
    if (upper.opaque) return "replaced";
    return a.mode() != b.mode() ? "mode" : "";
}

}  // namespace

bool TreeEntry::folder() const {
    return S_ISDIR(mode);
}

const char* to_string(TreeChange::Kind kind) {
    switch (kind) {
        case TreeChange::Kind::added:
            return "added";
        case TreeChange::Kind::changed:
            return "changed";
        case TreeChange::Kind::removed:
            return "removed";
    }
    return "unknown";
}

std::vector<TreeChange> diff_trees(const Tree& from, const Tree& to, const TreeLook& look) {
    std::set<std::string> paths;
    for (const Tree* tree : {&from, &to})
        for (const auto& [path, entry] : *tree) paths.insert(path);
    std::vector<TreeChange> changes;
    for (const auto& path : paths) {
        const Side a = look_at(from, path, look), b = look_at(to, path, look);
        if (a.there() && b.there()) {
            if (auto what = difference(a, b, look); !what.empty())
                changes.push_back({TreeChange::Kind::changed, path, what});
        } else if (b.there()) {
            changes.push_back({TreeChange::Kind::added, path, {}});
        } else if (a.there()) {
            // Told with its folder where that is gone, too.
            const std::string above = parent(path);
            const bool whole = above.empty() || look_at(to, above, look).there();
            if (whole) changes.push_back({TreeChange::Kind::removed, path, {}});
        }
    }
    return changes;
}

}  // namespace clara
