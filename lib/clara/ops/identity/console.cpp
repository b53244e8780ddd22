// The serial console: virsh console and clara-console show nothing without it.
#include "clara/ops/identity/parts.hpp"
#include "clara/ops/identity/text.hpp"

namespace clara::identity {
namespace {

constexpr const char* kernel_words = "console=tty0 console=ttyS0,115200";
constexpr const char* serial_word = "console=ttyS0";

bool has_serial(const std::string& text) {
    return text.find(serial_word) != std::string::npos;
}

/// Adds the words to each command line, unless it has them.
std::string with_console(const std::string& text, const BootFile& file) {
    auto lines = lines_of(text);
    for (auto& line : lines)
        if (!has_serial(line) && file.has_command_line(line)) line += std::string(" ") + kernel_words;
    return join_lines(lines);
}

/// GRUB_CMDLINE_LINUX="..." of /etc/default/grub: what update-grub will write from then on.
std::string with_console_default(const std::string& text) {
    auto lines = lines_of(text);
    for (auto& line : lines) {
        constexpr std::string_view key = "GRUB_CMDLINE_LINUX=";
        if (!line.starts_with(key) || has_serial(line)) continue;
        const std::string old = unquoted(trimmed(line.substr(key.size())));
        line = std::string(key) + "\"" + old + (old.empty() ? "" : " ") + kernel_words + "\"";
    }
    return join_lines(lines);
}

void plan_boot_loader(const GuestTree& tree, IdentityPlan& plan) {
    bool found = false;
    for (const auto& file : boot_files(tree)) {
        const auto text = plan.text(tree, file.path);
        if (!text) continue;
        std::string changed = with_console(*text, file);
        found |= file.starts_kernel && has_serial(changed);
        if (changed != *text) plan.write(file.path, std::move(changed));
    }
    const std::string defaults = "/etc/default/grub";
    if (const auto text = plan.text(tree, defaults))
        if (std::string changed = with_console_default(*text); changed != *text)
            plan.write(defaults, std::move(changed));
    if (!found)
        plan.warn("no boot loader of a known form was found: the kernel says nothing on the serial console");
}

bool is_systemd(const GuestTree& tree) {
    return tree.exists("/lib/systemd/systemd") || tree.exists("/usr/lib/systemd/systemd");
}

void plan_login(const GuestTree& tree, IdentityPlan& plan) {
    if (is_systemd(tree)) {
        const std::string wants = "/etc/systemd/system/getty.target.wants/serial-getty@ttyS0.service";
        for (const char* folder : {"/usr/lib/systemd/system/", "/lib/systemd/system/"}) {
            const std::string unit = std::string(folder) + "serial-getty@.service";
            if (!tree.exists(unit)) continue;
            if (!tree.exists(wants)) plan.changes.push_back({FileChange::What::link, wants, unit});
            return;
        }
        return;
    }
    auto text = tree.read("/etc/inittab");
    if (!text) return;
    for (const auto& line : lines_of(*text))
        if (!line.starts_with('#') && line.find("ttyS0") != std::string::npos) return;
    for (const char* getty : {"/sbin/getty", "/sbin/agetty"})
        if (tree.exists(getty)) {
            plan.write("/etc/inittab", *text + "T0:2345:respawn:" + getty + " -L ttyS0 115200 vt100\n");
            return;
        }
}

}  // namespace

void plan_console(const GuestTree& tree, IdentityPlan& plan) {
    plan_login(tree, plan);
    plan_boot_loader(tree, plan);
}

}  // namespace clara::identity
