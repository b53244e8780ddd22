#include "clara/drivers/images/skeleton.hpp"

namespace clara {
namespace {

constexpr Owner ioc{1000, 1000};
constexpr Owner shadow{0, 42};  // Debian's group "shadow"

/// Appends a line to a colon-separated file unless its first field is there already.
void add_entry(Tree& tree, const std::string& path, const std::string& line, mode_t mode = 0644,
               Owner owner = {}) {
    std::string text = tree.has(path) ? tree.read(path) : "";
    const std::string key = "\n" + line.substr(0, line.find(':') + 1);
    if (("\n" + text).find(key) != std::string::npos) return;
    if (!text.empty() && text.back() != '\n') text += '\n';
    tree.write(path, text + line + "\n", mode, owner);
}

}  // namespace

void add_skeleton(Tree& tree) {
    for (const char* name : {"bin", "sbin", "lib", "lib64"}) {
        tree.folder(std::string("usr/") + name);
        if (!tree.has(name)) tree.symlink(std::string("usr/") + name, name);
    }
    for (const char* name :
         {"etc", "home", "mnt", "opt", "srv", "usr/share", "var/cache", "var/lib", "var/spool"})
        tree.folder(name);
    tree.folder("root", 0700);
    tree.folder("tmp", 01777);
    tree.folder("var/tmp", 01777);
    if (!tree.has("etc/passwd"))  // ids as in Debian's base-passwd; no password is ever valid
        tree.write("etc/passwd",
                   "root:x:0:0:root:/root:/bin/sh\n"
                   "daemon:x:1:1:daemon:/usr/sbin:/usr/sbin/nologin\n"
                   "nobody:x:65534:65534:nobody:/nonexistent:/usr/sbin/nologin\n");
    if (!tree.has("etc/group"))
        tree.write("etc/group",
                   "root:x:0:\ndaemon:x:1:\nadm:x:4:\ntty:x:5:\ndialout:x:20:\nshadow:x:42:\nutmp:x:43:"
                   "\nplugdev:x:46:\n"
                   "users:x:100:\nnogroup:x:65534:\n");
    if (!tree.has("etc/shadow"))
        tree.write("etc/shadow", "root:*:::::::\ndaemon:*:::::::\nnobody:*:::::::\n", 0640, shadow);
    if (!tree.has("etc/nsswitch.conf"))
        tree.write("etc/nsswitch.conf", "passwd: files\ngroup: files\nshadow: files\nhosts: files dns\n");
    if (!tree.has("etc/shells")) tree.write("etc/shells", "/bin/sh\n/bin/ash\n/bin/bash\n");
}

void fit_for_clara_init(Tree& tree) {
    add_entry(tree, "etc/group", "ioc:x:1000:");
    add_entry(tree, "etc/passwd", "sshd:x:101:65534::/run/sshd:/usr/sbin/nologin");
    add_entry(tree, "etc/passwd", "ioc:x:1000:1000:IOC:/home/ioc:/bin/sh");
    add_entry(tree, "etc/shadow", "sshd:*:::::::", 0640, shadow);
    add_entry(tree, "etc/shadow", "ioc:*:::::::", 0640, shadow);
    for (const char* name :
         {"dev", "proc", "run", "sys", "etc/clara", "etc/ssh", "opt/ioc", "var/lib", "usr/sbin"})
        tree.folder(name);
    tree.folder("home/ioc", 0755, ioc);
    tree.folder("var/log/clara", 0755);
    if (!tree.has("var/run")) tree.symlink("/run", "var/run");
    if (!tree.has("usr/sbin/clara-init"))
        tree.write("usr/sbin/clara-init", "", 0755);  // the host's is mounted over it
}

std::string detect_init(const Tree& tree) {
    for (const char* init : {"sbin/init", "lib/systemd/systemd", "usr/lib/systemd/systemd"})
        if (tree.has(init)) return "system";
    return "clara";
}

}  // namespace clara
