#include <sys/stat.h>

#include "catch.hpp"
#include "clara/ops/tree_diff.hpp"

using namespace clara;

namespace {

TreeEntry file(std::uint32_t inode, std::uint64_t size = 10, std::int64_t changed = 1) {
    return {.inode = inode, .mode = S_IFREG | 0644, .size = size, .changed = changed};
}
TreeEntry folder(bool opaque = false, mode_t mode = 0755) {
    return {.inode = 2, .mode = S_IFDIR | mode, .opaque = opaque};
}
TreeEntry whiteout() {
    return {.inode = 3, .mode = S_IFCHR, .whiteout = true};
}
TreeEntry link(const std::string& to) {
    return {.inode = 4, .mode = S_IFLNK | 0777, .link = to};
}

/// Of an image with /etc, /etc/hosts, /usr and /usr/bin/softIoc. Files with the same inode have the same
/// bytes.
std::string diff(const Tree& from, const Tree& to) {
    const std::map<std::string, mode_t> image{{"/etc", S_IFDIR | 0755},
                                              {"/etc/hosts", S_IFREG | 0644},
                                              {"/usr", S_IFDIR | 0755},
                                              {"/usr/bin", S_IFDIR | 0755},
                                              {"/usr/bin/softIoc", S_IFREG | 0755}};
    TreeLook look;
    look.same_content = [](const TreeEntry& a, const TreeEntry& b) { return a.inode == b.inode; };
    look.in_image = [&](const std::string& path) -> std::optional<mode_t> {
        auto found = image.find(path);
        return found == image.end() ? std::nullopt : std::optional(found->second);
    };
    std::string text;
    for (const auto& change : diff_trees(from, to, look))
        text += std::string(to_string(change.kind)) + " " + change.path +
                (change.what.empty() ? "" : " " + change.what) + "\n";
    return text;
}

}  // namespace

TEST_CASE("equal trees do not differ") {
    const Tree tree{{"/etc", folder()}, {"/etc/hosts", file(5)}, {"/l", link("x")}, {"/usr", whiteout()}};
    CHECK(diff(tree, tree).empty());
    CHECK(diff({}, {}).empty());
}

TEST_CASE("files come, change and go") {
    CHECK(diff({}, {{"/root", folder()}, {"/root/new", file(5)}}) == "added /root\nadded /root/new\n");
    CHECK(diff({{"/a", file(5)}}, {{"/a", file(6)}}) == "changed /a content\n");
    CHECK(diff({{"/a", file(5, 10)}}, {{"/a", file(5, 11)}}) == "changed /a content\n");
    CHECK(diff({{"/a", file(5, 10, 1)}}, {{"/a", file(5, 10, 2)}}).empty());  // touched, with the same bytes
    CHECK(diff({{"/a", file(5)}}, {}) == "removed /a\n");
    CHECK(diff({{"/l", link("x")}}, {{"/l", link("y")}}) == "changed /l target\n");
    CHECK(diff({{"/a", file(5)}}, {{"/a", link("y")}}) == "changed /a kind\n");
    TreeEntry other = file(5);
    other.mode = S_IFREG | 0600;
    other.uid = 100000;
    CHECK(diff({{"/a", file(5)}}, {{"/a", other}}) == "changed /a mode, owner\n");
}

TEST_CASE("what the image has is changed or removed, not added") {
    CHECK(diff({}, {{"/etc", folder()}, {"/etc/hosts", file(5)}}) == "changed /etc/hosts content\n");
    CHECK(diff({}, {{"/etc", folder()}, {"/etc/hosts", whiteout()}}) == "removed /etc/hosts\n");
    CHECK(diff({{"/etc", folder()}, {"/etc/hosts", whiteout()}}, {{"/etc", folder()}}) ==
          "added /etc/hosts\n");
    CHECK(diff({{"/etc", folder()}, {"/etc/hosts", whiteout()}}, {}) == "added /etc/hosts\n");
    CHECK(diff({}, {{"/etc", folder(false, 0700)}}) == "changed /etc mode\n");
    CHECK(diff({}, {{"/none", whiteout()}}).empty());
}

TEST_CASE("a folder that is gone is told once, with all below it") {
    CHECK(diff({}, {{"/usr", whiteout()}}) == "removed /usr\n");
    CHECK(diff({{"/usr", folder()}, {"/usr/bin", folder()}, {"/usr/bin/mine", file(5)}},
               {{"/usr", whiteout()}}) == "removed /usr\n");
    CHECK(diff({{"/d", folder()}, {"/d/e", folder()}, {"/d/e/f", file(5)}}, {}) == "removed /d\n");
}

TEST_CASE("a folder that was removed and made again hides what the image has there") {
    CHECK(diff({}, {{"/usr", folder(true)}}) == "changed /usr replaced\n");
    CHECK(diff({{"/usr", folder()}, {"/usr/bin", folder()}, {"/usr/bin/softIoc", file(5)}},
               {{"/usr", folder(true)}}) == "changed /usr replaced\nremoved /usr/bin\n");
    CHECK(diff({}, {{"/usr", folder(true)}, {"/usr/bin", folder()}, {"/usr/bin/softIoc", file(5)}}) ==
          "changed /usr replaced\nchanged /usr/bin/softIoc content\n");
}
